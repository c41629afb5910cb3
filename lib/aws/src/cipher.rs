//! Seals secrets with AWS KMS. The owner and the name are in the encryption context, so a sealed value cannot be moved
//! to another name, and CloudTrail shows whose secret was opened.

use crate::clients::Clients;
use crate::configuration::{Configuration, Variable};
use aws_sdk_kms::error::DisplayErrorContext;
use aws_sdk_kms::primitives::Blob;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::sync::Arc;
use tidemill_model::ids::OwnerId;
use tidemill_operations::{Cipher, Error};

/// The cipher of a plane on AWS.
pub struct KmsCipher {
    clients: Arc<Clients>,
    configuration: Arc<Configuration>,
}

impl KmsCipher {
    pub fn new(clients: Arc<Clients>, configuration: Arc<Configuration>) -> KmsCipher {
        KmsCipher { clients, configuration }
    }
}

impl Cipher for KmsCipher {
    fn seal<'a>(
        &'a self,
        owner: &'a OwnerId,
        name: &'a str,
        value: &'a SecretString,
    ) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move {
            let sealed = self
                .clients
                .kms()
                .encrypt()
                .key_id(self.configuration.get(Variable::KmsKey)?)
                .plaintext(Blob::new(value.expose_secret().as_bytes()))
                .set_encryption_context(Some(context(owner, name)))
                .send()
                .await
                .map_err(|error| Error::internal(DisplayErrorContext(error).to_string()))?;
            let blob = sealed.ciphertext_blob.ok_or_else(|| Error::internal("KMS sealed nothing"))?;
            Ok(STANDARD.encode(blob))
        })
    }

    fn open<'a>(
        &'a self,
        owner: &'a OwnerId,
        name: &'a str,
        sealed: &'a str,
    ) -> BoxFuture<'a, Result<SecretString, Error>> {
        Box::pin(async move {
            let unreadable = || Error::internal("a stored secret is not what KMS sealed");
            let blob = STANDARD.decode(sealed).map_err(|_| unreadable())?;
            let opened = self
                .clients
                .kms()
                .decrypt()
                .key_id(self.configuration.get(Variable::KmsKey)?)
                .ciphertext_blob(Blob::new(blob))
                .set_encryption_context(Some(context(owner, name)))
                .send()
                .await
                .map_err(|error| Error::internal(DisplayErrorContext(error).to_string()))?;
            let text = opened.plaintext.and_then(|blob| String::from_utf8(blob.into_inner()).ok());
            text.map(SecretString::from).ok_or_else(unreadable)
        })
    }
}

fn context(owner: &OwnerId, name: &str) -> HashMap<String, String> {
    HashMap::from([("owner".to_owned(), owner.to_string()), ("name".to_owned(), name.to_owned())])
}
