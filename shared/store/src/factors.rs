//! What proves a person besides the password: an authenticator, codes by mail or by text message, and the recovery codes
//! that stand in for a lost thing.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use crate::accounts::{ACCOUNT, Accounts, CREDENTIALS, Person, account_key, recovery_key};
use crate::audit::Trail;
use crate::catalogue::key;
use crate::outbox::{Letter, letter_for};
use crate::sessions::{Session, session_item, session_key};
use crate::vault::{n, s};
use crate::{Error, one_time};

impl Accounts {
    /// Notes a secret that waits for its first code.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn begin_totp(&self, id: &str, sealed: &str, trail: &Trail) -> Result<bool, Error> {
        let condition = "attribute_exists(pk) AND attribute_not_exists(totp)";
        let values = vec![(":sealed", s(sealed))];
        let write = self.on(id, CREDENTIALS, "SET totp_pending = :sealed", condition, values)?;
        self.all(vec![write], trail).await
    }

    /// Makes the waiting secret the second factor, with `step` as its first used one and `codes` as the only
    /// recovery codes. Every session ends; `raised` takes the place of the session `from`, under a name of its
    /// own, so that what was known of the weaker one opens nothing. False if the secret is not the waiting one
    /// any more or the session is gone.
    ///
    /// # Errors
    /// If the store fails.
    #[allow(
        clippy::too_many_arguments,
        reason = "one transaction, and each of its parts has a type of its own"
    )]
    pub async fn confirm_totp(
        &self,
        person: &Person,
        sealed: &str,
        step: i64,
        codes: &[String],
        (from, raised): (&str, &Session),
        letter: &Letter,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let id = &person.account.id;
        let now = vec![(":now", n(person.account.generation))];
        let mut writes = vec![
            self.generation(&person.account)?,
            self.vault().deleting(session_key(id, from), Some("generation = :now"), now)?,
            self.vault().putting(session_item(id, raised)?, Some("attribute_not_exists(pk)"))?,
        ];
        writes.extend(self.replaced(
            person,
            codes,
            ", totp = :sealed, totp_step = :step, mail_factor = :no REMOVE totp_pending, phone, phone_pending",
            "totp_pending = :sealed",
            vec![(":sealed", s(sealed)), (":step", n(step)), (":no", AttributeValue::Bool(false))],
        )?);
        writes.push(self.vault().putting(letter_for(letter, trail)?, None)?);
        self.all(writes, trail).await
    }

    /// Takes the authenticator and the recovery codes away, using up the code of `step`. Every session ends but
    /// `session`, which goes on as one that began with `amr` alone. False if the code was used already.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn remove_totp(
        &self,
        person: &Person,
        step: i64,
        (session, amr): (&str, &[String]),
        letter: &Letter,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let id = &person.account.id;
        let generation = person.account.generation;
        let amr = AttributeValue::L(amr.iter().map(s).collect());
        let values = vec![(":now", n(generation)), (":next", n(generation + 1)), (":amr", amr)];
        let change = "SET generation = :next, amr = :amr";
        let mut writes = vec![
            self.generation(&person.account)?,
            self.on(id, &format!("SESSION#{session}"), change, "generation = :now", values)?,
        ];
        writes.extend(self.replaced(
            person,
            &[],
            ", totp_step = :step REMOVE totp, totp_pending",
            "attribute_exists(totp) AND totp_step < :step",
            vec![(":step", n(step))],
        )?);
        writes.push(self.vault().putting(letter_for(letter, trail)?, None)?);
        self.all(writes, trail).await
    }

    /// Uses up the authenticator's code of `step`. False if it was used already. What the code was for leaves
    /// the trail.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn use_step(&self, id: &str, step: i64) -> Result<bool, Error> {
        let at = key(&account_key(id), CREDENTIALS);
        let unused = "attribute_exists(totp) AND totp_step < :step";
        Ok(self
            .vault()
            .update(at, "SET totp_step = :step", Some(unused), vec![(":step", n(step))])
            .await?
            .is_some())
    }

    /// Puts `codes` in the place of all recovery codes that are left. False if others were faster, or the authenticator
    /// or telephone that they stand in for is gone.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn renew_recovery(
        &self,
        person: &Person,
        codes: &[String],
        letter: &Letter,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let mut writes = self.replaced(
            person,
            codes,
            "",
            "attribute_exists(totp) OR attribute_exists(phone)",
            Vec::new(),
        )?;
        writes.push(self.vault().putting(letter_for(letter, trail)?, None)?);
        self.all(writes, trail).await
    }

    /// Turns codes by mail on or off as the second factor. False if another one was chosen meanwhile.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_mail_factor(
        &self,
        id: &str,
        on: bool,
        letter: &Letter,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let condition = if on {
            "attribute_exists(pk) AND attribute_not_exists(totp) AND attribute_not_exists(phone)"
        } else {
            "attribute_exists(pk)"
        };
        let values = vec![(":on", AttributeValue::Bool(on))];
        let writes = vec![
            self.on(id, CREDENTIALS, "SET mail_factor = :on", condition, values)?,
            self.vault().putting(letter_for(letter, trail)?, None)?,
        ];
        self.all(writes, trail).await
    }

    /// Notes a telephone number that waits for its first code, with the ticket that the code is for, and posts the letter
    /// that asks for the code. False if an authenticator is the second factor.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn begin_phone(
        &self,
        sealed: &str,
        (hash, ticket): (&str, &one_time::Ticket),
        letter: &Letter,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let writes = vec![
            self.on(
                &ticket.account,
                CREDENTIALS,
                "SET phone_pending = :sealed",
                "attribute_exists(pk) AND attribute_not_exists(totp)",
                vec![(":sealed", s(sealed))],
            )?,
            self.vault().putting(one_time::ticket_item(hash, ticket)?, None)?,
            self.vault().putting(letter_for(letter, trail)?, None)?,
        ];
        self.all(writes, trail).await
    }

    /// Makes the waiting telephone number the second factor, using up the ticket of its code, with `codes` as the only
    /// recovery codes. False if it is not the waiting one any more, or the code was used.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn confirm_phone(
        &self,
        person: &Person,
        (sealed, ticket): (&str, &str),
        codes: &[String],
        letter: &Letter,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let used = one_time::ticket_key(ticket);
        // Of this generation still: what a thief began ends with the reset that shuts them out.
        let now = vec![(":now", n(person.account.generation))];
        let mut writes = vec![
            self.on(&person.account.id, ACCOUNT, "SET generation = :now", "generation = :now", now)?,
            self.vault().deleting(used, Some("attribute_exists(pk)"), Vec::new())?,
        ];
        writes.extend(self.replaced(
            person,
            codes,
            ", phone = :sealed, mail_factor = :no REMOVE phone_pending",
            "phone_pending = :sealed AND attribute_not_exists(totp)",
            vec![(":sealed", s(sealed)), (":no", AttributeValue::Bool(false))],
        )?);
        writes.push(self.vault().putting(letter_for(letter, trail)?, None)?);
        self.all(writes, trail).await
    }

    /// Forgets the telephone number, a waiting one too, and the recovery codes that stand in for it. False if there is
    /// none.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn remove_phone(&self, person: &Person, letter: &Letter, trail: &Trail) -> Result<bool, Error> {
        let mut writes = self.replaced(
            person,
            &[],
            " REMOVE phone, phone_pending",
            "attribute_not_exists(totp) AND (attribute_exists(phone) OR attribute_exists(phone_pending))",
            Vec::new(),
        )?;
        writes.push(self.vault().putting(letter_for(letter, trail)?, None)?);
        self.all(writes, trail).await
    }

    /// A change to a person's credentials under `condition`, with `codes` in the place of the recovery codes that were
    /// read, and only in the round in which they were: two changes at once would leave the codes of both. `more` is what
    /// the change does besides counting the round: what it goes on to set, and what it removes.
    fn replaced(
        &self,
        person: &Person,
        codes: &[String],
        more: &str,
        condition: &str,
        mut values: crate::vault::Values,
    ) -> Result<Vec<TransactWriteItem>, Error> {
        let (id, round) = (&person.account.id, person.credentials.recovery_round);
        values.extend([(":seen", n(round)), (":next", n(round + 1))]);
        let change = format!("SET recovery_round = :next{more}");
        let condition =
            format!("({condition}) AND (attribute_not_exists(recovery_round) OR recovery_round = :seen)");
        let mut writes = vec![self.on(id, CREDENTIALS, &change, &condition, values)?];
        let gone = |hash: &String| self.vault().deleting(recovery_key(id, hash), None, Vec::new());
        let new = |hash: &String| self.vault().putting(recovery_key(id, hash), None);
        writes.extend(person.recovery.iter().map(gone).collect::<Result<Vec<_>, _>>()?);
        writes.extend(codes.iter().map(new).collect::<Result<Vec<_>, _>>()?);
        Ok(writes)
    }
}
