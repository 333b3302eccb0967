//! The functions' programs and environments, as the template would make them.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use robnu_testkit::{TestDatabase, function_environment};
use serde_json::json;
use simulators::Simulator;

use crate::aws::{Aws, VISIBILITY_SECONDS, arn};
use crate::function::Program;
use crate::world::Queues;

/// How long a lease lives without a page, and how long a slice works, in seconds: shorter than in the template, so that leases end and
/// slices follow each other often.
const LEASE_SECONDS: u64 = 3;
const SLICE_SECONDS: u64 = 1;
/// How long an event may take: as in the template, where most functions have as long as the adapter.
const TIMEOUT: Duration = Duration::from_secs(30);
const EXPORTER_TIMEOUT: Duration = Duration::from_mins(5);
/// The shortest lease of an export that its function takes.
const EXPORT_LEASE_SECONDS: u64 = 30;
const MAIL_FROM: &str = "no-reply@robnu.invalid";
const APP_URL: &str = "https://app.robnu.invalid";
/// As much as the simulators allow. Throttling is a fault of its own.
const CALL_RATES: &str = "searchOrders:1000:1000,getOrder:1000:1000,getMarketplaceParticipations:1000:1000,createReport:1000:1000,getReports:1000:1000,listTransactions:1000:1000,getReport:1000:1000,getReportDocument:1000:1000";

/// Where things are.
#[derive(Debug, Clone, clap::Args)]
pub struct Places {
    /// Folder with the functions' programs
    #[arg(long)]
    pub programs: PathBuf,
    /// Folder with the migrations
    #[arg(long)]
    pub migrations: PathBuf,
    /// Folder for the functions' logs
    #[arg(long)]
    pub logs: PathBuf,
    /// Address of the local AWS
    #[arg(long, env = "TEST_AWS_ENDPOINT")]
    pub endpoint: String,
}

impl Places {
    /// Makes the folder for logs unless it exists.
    pub fn make_logs(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.logs).with_context(|| format!("make {}", self.logs.display()))
    }
}

/// What the functions' environments are made of.
pub struct Environments<'a> {
    /// Where programs and logs are.
    pub places: &'a Places,
    /// The database.
    pub database: &'a TestDatabase,
    /// Bucket and keys.
    pub aws: &'a Aws,
    /// The address of the local AWS, or of the gateway to it.
    pub aws_url: &'a str,
    /// The marketplaces.
    pub simulator: &'a Simulator,
}

impl Environments<'_> {
    fn program(&self, program: &str, name: &str, more: Vec<(&'static str, String)>) -> Program {
        let mut environment = function_environment(&self.database.config(&format!("robnu_{program}")));
        environment.retain(|(variable, _)| *variable != "AWS_ENDPOINT_URL");
        environment.extend([
            ("AWS_ENDPOINT_URL", self.aws_url.to_owned()),
            ("RUST_LOG", "info".to_owned()),
            ("PLATFORM_KEY_ID", self.aws.key.clone()),
            ("AWS_S3_BUCKET", self.aws.bucket.clone()),
            ("AWS_S3_OBJECTS_ROLE_ARN", self.aws.objects_role.clone()),
            ("AWS_S3_PER_SELLER_KMS", "false".to_owned()),
        ]);
        environment.extend(more);
        let log = self.places.logs.join(format!("{name}.log"));
        let file = self.places.programs.join(program);
        Program { name: name.to_owned(), file, timeout: TIMEOUT, environment, log }
    }

    /// A marketplace's deployment of the adapter.
    pub fn adapter(&self, queues: &Queues) -> Program {
        let simulator = self.simulator;
        let more = vec![
            ("MARKETPLACE_CODE", queues.code.as_str().to_owned()),
            ("AJIO_BASE_URL", simulator.ajio_base_url().to_owned()),
            ("AMAZON_IN_BASE_URL", simulator.amazon_base_url().to_owned()),
            ("AMAZON_IN_AUTH_URL", simulator.amazon_base_url().to_owned()),
            ("FLIPKART_BASE_URL", simulator.flipkart_base_url().to_owned()),
            ("MEESHO_BASE_URL", simulator.meesho_base_url().to_owned()),
            ("DEAD_LETTER_QUEUE_URL", queues.lane_letters.clone()),
            ("PARALLEL_DEAD_LETTER_QUEUE_URL", queues.parallel_letters.clone()),
            ("PARALLEL_QUEUES", json!({queues.code.as_str(): queues.parallel}).to_string()),
            ("DIGEST_SECRET_ID", self.aws.digest_secret.clone()),
            ("LEASE_SECONDS", LEASE_SECONDS.to_string()),
            ("SLICE_SECONDS", SLICE_SECONDS.to_string()),
            ("CALL_RATES", CALL_RATES.to_owned()),
        ];
        let code = queues.code.as_str().to_lowercase().replace('_', "-");
        self.program("adapter", &format!("adapter-{code}"), more)
    }

    /// The sweeps.
    pub fn sweep(&self, queues: &[Queues]) -> Program {
        let more = vec![
            ("PARALLEL_QUEUES", parallel_queues(queues)),
            ("SELLER_KEY_DELETION_DAYS", "30".to_owned()),
            ("DATA_KEY_DAYS", "365".to_owned()),
            ("MAIL_FROM", MAIL_FROM.to_owned()),
            ("APP_URL", APP_URL.to_owned()),
        ];
        self.program("sweep", "sweep", more)
    }

    /// The function that makes lanes, for the adapters of some marketplaces, each behind its ARN.
    pub fn lanes(&self, queues: &[Queues], adapters: &[(&Queues, String)], requests: &str) -> Program {
        let target = |(of, function_arn): &(&Queues, String)| {
            let target =
                json!({"function_arn": function_arn, "dead_letter_queue_arn": arn(&of.lane_letters)});
            (of.code.as_str().to_owned(), target)
        };
        let targets: serde_json::Map<_, _> = adapters.iter().map(target).collect();
        let more = vec![
            ("STAGE", "chaos".to_owned()),
            ("LANE_REQUESTS_QUEUE_URL", requests.to_owned()),
            ("LANE_QUEUE_PREFIX", self.aws.prefix.clone()),
            ("LANE_VISIBILITY_SECONDS", VISIBILITY_SECONDS.to_string()),
            ("DEAD_LETTER_MAX_RECEIVES", "6".to_owned()),
            ("LANE_TARGETS", serde_json::Value::from(targets).to_string()),
            ("PARALLEL_QUEUES", parallel_queues(queues)),
        ];
        self.program("lanes", "lanes", more)
    }

    /// The function that writes exports.
    pub fn exporter(&self, exports: &str) -> Program {
        let more = vec![
            ("EXPORTS_QUEUE_URL", exports.to_owned()),
            ("LEASE_SECONDS", EXPORT_LEASE_SECONDS.to_string()),
            ("MAIL_FROM", MAIL_FROM.to_owned()),
            ("APP_URL", APP_URL.to_owned()),
        ];
        Program { timeout: EXPORTER_TIMEOUT, ..self.program("exporter", "exporter", more) }
    }

    /// The function that handles dead letters and moves accounts.
    pub fn redrive(&self, queues: &[Queues], requests: &str, exports: &str) -> Program {
        let letters =
            |of: &Queues| (of.code.as_str().to_owned(), json!([of.lane_letters, of.parallel_letters]));
        let letters: serde_json::Map<_, _> = queues.iter().map(letters).collect();
        let more = vec![
            ("STAGE", "chaos".to_owned()),
            ("DEAD_LETTER_QUEUES", serde_json::Value::from(letters).to_string()),
            ("PARALLEL_QUEUES", parallel_queues(queues)),
            ("LANE_REQUESTS_QUEUE_URL", requests.to_owned()),
            ("EXPORTS_QUEUE_URL", exports.to_owned()),
        ];
        self.program("redrive", "redrive", more)
    }
}

fn parallel_queues(queues: &[Queues]) -> String {
    let urls = queues.iter().map(|of| (of.code.as_str().to_owned(), json!(of.parallel)));
    serde_json::Value::from(urls.collect::<serde_json::Map<_, _>>()).to_string()
}
