//! SDK clients of the stand-ins, built as any other process would build them.
#![allow(dead_code, reason = "every test uses its own part of it")]

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use screensort_cloud::Endpoints;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

macro_rules! client {
    ($service:ident, $endpoints:expr, $url:ident) => {{
        let credentials =
            Credentials::new(&$endpoints.access_key, &$endpoints.secret_key, None, None, "test");
        let config = $service::Config::builder()
            .behavior_version($service::config::BehaviorVersion::latest())
            .region($service::config::Region::new($endpoints.region))
            .credentials_provider(credentials)
            .endpoint_url(&$endpoints.$url)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        $service::Client::from_conf(config)
    }};
}

/// A client of each service.
pub(crate) struct Clients {
    pub(crate) tables: aws_sdk_dynamodb::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    pub(crate) objects: aws_sdk_s3::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) mail: aws_sdk_sesv2::Client,
    pub(crate) texts: aws_sdk_sns::Client,
}

/// Clients of these endpoints.
pub(crate) fn clients(endpoints: &Endpoints) -> Clients {
    Clients {
        tables: client!(aws_sdk_dynamodb, endpoints, dynamodb),
        kms: client!(aws_sdk_kms, endpoints, services),
        objects: client!(aws_sdk_s3, endpoints, services),
        secrets: client!(aws_sdk_secretsmanager, endpoints, services),
        mail: client!(aws_sdk_sesv2, endpoints, services),
        texts: client!(aws_sdk_sns, endpoints, services),
    }
}

impl Clients {
    pub(crate) async fn create_table(&self) {
        let key = |name: &str| (name.to_owned(), KeyType::Hash);
        let (name, kind) = key("id");
        let attribute = AttributeDefinition::builder()
            .attribute_name(&name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap();
        let schema = KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
        self.tables
            .create_table()
            .table_name("things")
            .attribute_definitions(attribute)
            .key_schema(schema)
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await
            .unwrap();
    }

    pub(crate) async fn put_item(&self, id: &str) {
        let id = AttributeValue::S(id.to_owned());
        self.tables.put_item().table_name("things").item("id", id).send().await.unwrap();
    }

    pub(crate) async fn has_item(&self, id: &str) -> bool {
        let id = AttributeValue::S(id.to_owned());
        let got = self.tables.get_item().table_name("things").key("id", id).send().await.unwrap();
        got.item.is_some()
    }

    pub(crate) async fn encrypt(&self, key: &str, text: &str, owner: &str) -> Blob {
        let sealed = self.kms.encrypt().key_id(key).plaintext(Blob::new(text));
        sealed.encryption_context("owner", owner).send().await.unwrap().ciphertext_blob.unwrap()
    }

    pub(crate) async fn decrypt(&self, sealed: &Blob, owner: &str) -> Result<Vec<u8>, aws_sdk_kms::Error> {
        let opened = self.kms.decrypt().ciphertext_blob(sealed.clone());
        let opened = opened.encryption_context("owner", owner).send().await?;
        Ok(opened.plaintext.unwrap().into_inner())
    }

    pub(crate) async fn mac(&self, key: &str, text: &str) -> Vec<u8> {
        let mac = self.kms.generate_mac().key_id(key).message(Blob::new(text));
        let mac = mac.mac_algorithm(aws_sdk_kms::types::MacAlgorithmSpec::HmacSha256);
        mac.send().await.unwrap().mac.unwrap().into_inner()
    }

    pub(crate) async fn secret(&self, name: &str) -> Option<String> {
        self.secrets.get_secret_value().secret_id(name).send().await.ok()?.secret_string
    }

    pub(crate) async fn put_object(&self, key: &str, body: Vec<u8>) {
        let put = self.objects.put_object().bucket("screensort-artifacts").key(key);
        put.body(body.into()).send().await.unwrap();
    }

    pub(crate) async fn object(&self, key: &str) -> Option<Vec<u8>> {
        let got = self.objects.get_object().bucket("screensort-artifacts").key(key).send().await.ok()?;
        Some(got.body.collect().await.unwrap().to_vec())
    }

    pub(crate) async fn object_keys(&self) -> Vec<String> {
        let listed = self.objects.list_objects_v2().bucket("screensort-artifacts").send().await.unwrap();
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }
}

/// Sends a request as it stands and gives the whole answer.
pub(crate) async fn send_raw(url: &str, head: &str) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("{head}\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
