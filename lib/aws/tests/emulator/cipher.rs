//! Secrets sealed by KMS open for their owner and their name alone.

use crate::{clients, configuration, owner};
use secrecy::{ExposeSecret, SecretString};
use tidemill_aws::{KmsCipher, Variable};
use tidemill_operations::Cipher;

async fn cipher() -> KmsCipher {
    let clients = clients().await;
    let made = clients.kms().create_key().send().await.expect("a key can be made");
    let key = made.key_metadata.expect("it is described").key_id;
    KmsCipher::new(clients, configuration([(Variable::KmsKey, &key)]))
}

#[tokio::test]
#[ignore = "needs an emulator"]
async fn a_secret_opens_for_its_owner_and_its_name_alone() {
    let cipher = cipher().await;
    let (ana, bob) = (owner("ana"), owner("bob"));
    let sealed = Cipher::seal(&cipher, &ana, "TOKEN", &SecretString::from("čžň-value")).await.unwrap();

    assert!(!sealed.contains("value"));
    assert_eq!(Cipher::open(&cipher, &ana, "TOKEN", &sealed).await.unwrap().expose_secret(), "čžň-value");
    assert!(Cipher::open(&cipher, &bob, "TOKEN", &sealed).await.is_err());
    assert!(Cipher::open(&cipher, &ana, "OTHER", &sealed).await.is_err());
    assert!(Cipher::open(&cipher, &ana, "TOKEN", "bm90IHNlYWxlZA==").await.is_err());
}

#[tokio::test]
#[ignore = "needs an emulator"]
async fn the_same_secret_is_sealed_differently_each_time() {
    let cipher = cipher().await;
    let value = SecretString::from("value");

    let first = Cipher::seal(&cipher, &owner("ana"), "TOKEN", &value).await.unwrap();
    let second = Cipher::seal(&cipher, &owner("ana"), "TOKEN", &value).await.unwrap();

    assert_ne!(first, second);
}
