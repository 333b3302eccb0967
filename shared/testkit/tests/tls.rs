//! The database's certificate is verified: one of another authority or for another host is refused.
//!
//! The test server speaks no TLS. A relay in front of it does, with certificates made for the test.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use robnu_tenancy::{Database, Error, PersonScope, Subject, Tls};
use robnu_testkit::TestDatabase;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The first message of a client that wants TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    bundle: PathBuf,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let bundle = std::env::temp_dir().join(format!("robnu-test-{}.pem", uuid::Uuid::now_v7()));
        std::fs::write(&bundle, issuer.pem()).expect("the bundle can be written");
        Self { issuer, bundle }
    }

    fn server(&self, host: &str) -> ServerConfig {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![host.to_owned()]).expect("a host name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.expect("protocol versions").with_no_client_auth();
        builder.with_single_cert(vec![certificate.der().clone()], key).expect("a server's certificate")
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        // A file that stays in the temporary folder does no harm.
        let _ = std::fs::remove_file(&self.bundle);
    }
}

/// Starts a relay to the test server that presents `certificate`, and returns its port.
async fn relay(certificate: ServerConfig, server: (String, u16)) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("a bound port").port();
    let acceptor = TlsAcceptor::from(Arc::new(certificate));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                let mut request = [0; 8];
                client.read_exact(&mut request).await?;
                assert_eq!(request, SSL_REQUEST, "the client asks for TLS before it says anything else");
                client.write_all(b"S").await?;
                let mut client = acceptor.accept(client).await?;
                let mut server = TcpStream::connect(server).await?;
                copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    port
}

/// Reads through a server that `presents` a certificate for `host`, trusting `trusted`.
async fn read(presents: &Authority, host: &str, trusted: &Authority) -> Result<(), Error> {
    let test = TestDatabase::new().await;
    let mut config = test.config("robnu_api");
    let server = (config.host.clone(), config.port);
    config.port = relay(presents.server(host), server).await;
    "localhost".clone_into(&mut config.host);
    config.tls = Tls::Roots(trusted.bundle.clone());
    let database = Database::new(&config).await?;
    let person = PersonScope::new(Subject::from_verified_claim("somebody").expect("a subject"));
    database.read(&person, "select code from robnu.marketplaces", &[]).await.map(drop)
}

#[tokio::test]
async fn a_server_of_the_trusted_authority_and_the_right_name_is_accepted() {
    let authority = Authority::new();
    read(&authority, "localhost", &authority).await.expect("the server is who it says");
}

#[tokio::test]
async fn a_server_of_another_authority_is_refused() {
    let refused = read(&Authority::new(), "localhost", &Authority::new()).await;
    assert!(matches!(refused, Err(Error::Unreachable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_server_of_another_name_is_refused() {
    let authority = Authority::new();
    let refused = read(&authority, "database.example", &authority).await;
    assert!(matches!(refused, Err(Error::Unreachable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_wanted() {
    let test = TestDatabase::new().await;
    let authority = Authority::new();
    let mut config = test.config("robnu_api");
    config.tls = Tls::Roots(authority.bundle.clone());
    let person = PersonScope::new(Subject::from_verified_claim("somebody").expect("a subject"));
    let database = Database::new(&config).await.expect("the configuration is sound");
    let refused = database.read(&person, "select code from robnu.marketplaces", &[]).await;
    assert!(matches!(refused, Err(Error::Unreachable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_bundle_that_cannot_be_used_is_named() {
    let test = TestDatabase::new().await;
    let mut config = test.config("robnu_api");
    config.tls = Tls::Roots(PathBuf::from("/nowhere/bundle.pem"));
    let error = Database::new(&config).await.expect_err("there is no such file").to_string();
    assert!(error.contains("/nowhere/bundle.pem"), "{error}");
}
