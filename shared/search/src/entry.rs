/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A film.
    Movie,
    /// Somebody who made or plays in one.
    Person,
    /// A streaming or cinema operator.
    Operator,
}

impl Kind {
    pub(crate) const fn bit(self) -> u8 {
        match self {
            Kind::Movie => 1,
            Kind::Person => 2,
            Kind::Operator => 4,
        }
    }
}

/// A set of [`Kind`]s to look among.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KindSet(u8);

impl KindSet {
    /// Every kind.
    pub const ALL: KindSet = KindSet(Kind::Movie.bit() | Kind::Person.bit() | Kind::Operator.bit());

    /// No kind: finds nothing until kinds are added.
    pub const NONE: KindSet = KindSet(0);

    /// This set and `kind`.
    #[must_use]
    pub const fn with(self, kind: Kind) -> KindSet {
        KindSet(self.0 | kind.bit())
    }

    /// Whether `kind` is in the set.
    pub const fn contains(self, kind: Kind) -> bool {
        self.has(kind.bit())
    }

    pub(crate) const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

impl From<Kind> for KindSet {
    fn from(kind: Kind) -> KindSet {
        KindSet(kind.bit())
    }
}

impl FromIterator<Kind> for KindSet {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> KindSet {
        kinds.into_iter().fold(KindSet::NONE, KindSet::with)
    }
}

/// Something to be found.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its names, the main one first, then original and alternative titles. All are searched alike.
    pub titles: &'a [&'a str],
    /// How likely it is to be meant before anything is typed, 0 to 1: say, the logarithm of its votes
    /// over that of the most voted one. Clamped; NaN counts as 0.
    pub weight: f32,
    /// The year of release, which a query may end in.
    pub year: Option<u16>,
}
