//! Storing parts of payouts, compared with a model: for any pages of any sources in any order, entries, lines and the sums of payouts
//! match the rules to the last decimal, and a page that comes again touches no row.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::collections::{BTreeMap, BTreeSet};

use adapter::store::raw_pages::RawPages;
use adapter::store::store_page;
use chrono::DateTime;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use robnu_dispatch::Job;
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{
    PayoutEntry, PayoutHead, PayoutLine, PayoutLineType, PayoutPart, PayoutSource, Records,
};
use robnu_storage::SellerCipher;
use robnu_tenancy::{Database, RunId};
use robnu_testkit::{Seller, TestDatabase, TwoSellers};
use rust_decimal::Decimal;
use tokio_postgres::Client;
use uuid::Uuid;

const SOURCES: [PayoutSource; 3] =
    [PayoutSource::AmazonPayments, PayoutSource::AmazonTransactions, PayoutSource::AmazonSettlement];
const TYPES: [PayoutLineType; 3] = [PayoutLineType::Sale, PayoutLineType::Tcs, PayoutLineType::Transfer];

/// A page: all its parts are from one source.
type Page = Vec<PayoutPart>;

fn pages() -> impl Strategy<Value = Vec<Page>> {
    let line = (prop::sample::select(TYPES.to_vec()), -3_000_i64..3_000).prop_map(|(line_type, units)| {
        PayoutLine { line_type, marketplace_type: "x".to_owned(), amount: Decimal::new(units, 4) }
    });
    let entry = (prop::collection::vec(line, 0..4), prop::option::of(0_i64..3)).prop_map(|(lines, off)| {
        let mut entry = PayoutEntry { marketplace_type: "Order".to_owned(), lines, ..PayoutEntry::default() };
        entry.stated_amount = off.map(|off| entry.amount() + Decimal::new(off, 3));
        entry
    });
    let any_part = (0_u8..4, prop::option::weighted(0.7, 0_u8..3), prop::collection::vec(entry, 0..3));
    let page = (prop::sample::select(SOURCES.to_vec()), prop::collection::vec(any_part, 0..5)).prop_map(
        |(source, parts)| {
            let part = |(id, payout, entries)| part(source, id, payout, entries);
            parts.into_iter().map(part).collect()
        },
    );
    prop::collection::vec(page, 1..7)
}

fn part(source: PayoutSource, id: u8, payout: Option<u8>, entries: Vec<PayoutEntry>) -> PayoutPart {
    PayoutPart {
        external_part_id: format!("{} {id}", source.as_str()),
        source,
        payout: payout.map(|payout| PayoutHead {
            external_payout_id: format!("P{payout}"),
            marketplace_status: None,
            period_start: None,
            period_end: None,
            settled_at: Some(DateTime::UNIX_EPOCH),
            paid_at: None,
            bank_reference: None,
            stated_amount: None,
        }),
        // A part keeps its subject: two parts of each source share one, and one part has none.
        subject: (id < 3).then(|| format!("S{}", id / 2)),
        currency: "INR".to_owned(),
        expected_at: None,
        entries,
        notes: Vec::new(),
    }
}

/// What is known of an entry.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    payout: Option<String>,
    source: PayoutSource,
    subject: Option<String>,
    entry: PayoutEntry,
}

/// The rules, written a second time in another way.
#[derive(Default)]
struct Model {
    sources: BTreeMap<String, PayoutSource>,
    entries: BTreeMap<(String, usize), Known>,
}

impl Model {
    fn apply(&mut self, page: &Page) {
        // Of a part that is there twice, the last counts.
        let parts: BTreeMap<&str, &PayoutPart> =
            page.iter().map(|part| (part.external_part_id.as_str(), part)).collect();
        for part in parts.values() {
            if let Some(head) = &part.payout {
                let known = self.sources.entry(head.external_payout_id.clone()).or_insert(part.source);
                if part.source.rank() >= known.rank() {
                    *known = part.source;
                }
            }
        }
        self.remove(&parts);
        let subjects = paid_subjects(&parts);
        // What is paid comes first: an announcement on the same page does not stand beside it.
        let (paid, announced): (Vec<&PayoutPart>, Vec<&PayoutPart>) =
            parts.values().partition(|part| part.payout.is_some());
        for part in paid.into_iter().chain(announced) {
            self.store(part, &subjects);
        }
    }

    fn remove(&mut self, parts: &BTreeMap<&str, &PayoutPart>) {
        let paid = paid_subjects(parts);
        let sources = &self.sources;
        self.entries.retain(|(id, number), known| {
            let part = parts.get(id.as_str());
            let vanished = part.is_some_and(|part| {
                *number > part.entries.len() && (part.payout.is_some() || known.payout.is_none())
            });
            let is_paid_now = known.payout.is_none()
                && part.is_none_or(|part| part.payout.is_none())
                && known.subject.as_ref().is_some_and(|subject| paid.contains(subject));
            let outranked = known.payout.as_ref().is_some_and(|payout| sources[payout] != known.source);
            !(vanished || is_paid_now || outranked)
        });
    }

    fn store(&mut self, part: &PayoutPart, paid: &BTreeSet<String>) {
        let payout = part.payout.as_ref().map(|head| head.external_payout_id.clone());
        let outranked = payout.as_ref().is_some_and(|payout| self.sources[payout] != part.source);
        let has_been_paid = |known: &Known| {
            known.payout.is_some() && known.subject.is_some() && known.subject == part.subject
        };
        let is_paid_on_the_page = part.subject.as_ref().is_some_and(|subject| paid.contains(subject));
        if outranked
            || (payout.is_none() && (is_paid_on_the_page || self.entries.values().any(has_been_paid)))
        {
            return;
        }
        for (number, entry) in (1..).zip(&part.entries) {
            let key = (part.external_part_id.clone(), number);
            let is_in_a_payout = self.entries.get(&key).is_some_and(|known| known.payout.is_some());
            if payout.is_some() || !is_in_a_payout {
                let known = Known {
                    payout: payout.clone(),
                    source: part.source,
                    subject: part.subject.clone(),
                    entry: entry.clone(),
                };
                self.entries.insert(key, known);
            }
        }
    }

    fn shown(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for ((part, number), known) in &self.entries {
            let lines = known
                .entry
                .lines
                .iter()
                .map(|line| format!("{} {}", line.line_type.as_str(), line.amount.normalize()));
            let lines: Vec<String> = lines.collect();
            let payout = known.payout.as_deref().unwrap_or("-");
            rows.push(format!(
                "{part} {number} {payout} {} [{}]",
                known.entry.amount().normalize(),
                lines.join(", ")
            ));
        }
        rows
    }

    fn sums(&self) -> Vec<String> {
        let sum = |(payout, source): (&String, &PayoutSource)| {
            let entries = || {
                self.entries
                    .values()
                    .filter(|known| known.payout.as_ref() == Some(payout))
                    .map(|known| &known.entry)
            };
            let amount: Decimal = entries().map(PayoutEntry::amount).sum();
            let off =
                entries().filter(|entry| entry.stated_amount.is_some_and(|stated| stated != entry.amount()));
            format!(
                "{payout} {} {} {} {}",
                source.as_str(),
                amount.normalize(),
                entries().count(),
                off.count()
            )
        };
        self.sources.iter().map(sum).collect()
    }
}

/// The subjects that a page says are paid.
fn paid_subjects(parts: &BTreeMap<&str, &PayoutPart>) -> BTreeSet<String> {
    let paid = parts.values().filter(|part| part.payout.is_some() && !part.entries.is_empty());
    paid.filter_map(|part| part.subject.clone()).collect()
}

struct Stand {
    _test: TestDatabase,
    seller: Seller,
    database: Database,
    superuser: Client,
    cipher: SellerCipher,
}

impl Stand {
    async fn new() -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let superuser = test.superuser().await;
        let cipher = SellerCipher::new(sellers.ours.id, Uuid::now_v7(), &[7; 32]).unwrap();
        Self {
            database: test.login("robnu_adapter").await,
            seller: sellers.ours,
            superuser,
            cipher,
            _test: test,
        }
    }

    async fn clear(&self) {
        for table in ["payout_changes", "payout_entries", "payouts"] {
            let of_ours = if table == "payout_changes" {
                "payout_id in (select id from robnu.payouts where account_id = $1)"
            } else {
                "account_id = $1"
            };
            let sql = format!("delete from robnu.{table} where {of_ours}");
            self.superuser.execute(&sql, &[&self.seller.amazon]).await.unwrap();
        }
    }

    /// Stores a page as one of a run; returns how many rows of entries and lines were added, changed or removed.
    async fn store(&self, run_id: RunId, page: &Page) -> i32 {
        let job = Job {
            run_id,
            step: 0,
            generation: 0,
            seller_id: self.seller.id,
            account_id: self.seller.amazon,
            marketplace: MarketplaceCode::AmazonIn,
            kind: RunKind::Payouts,
        };
        let mut session = self.database.session(&self.seller.job_scope()).await.unwrap();
        let records = Records::Payouts(page.clone());
        let stored =
            store_page(&mut session, &self.cipher, &job, &records, &[], &RawPages::default()).await.unwrap();
        session.commit().await.unwrap();
        stored.counts.iter().map(|counts| counts.added + counts.changed + counts.removed).sum()
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        self.superuser
            .query(sql, &[&self.seller.amazon])
            .await
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect()
    }

    async fn shown(&self) -> Vec<String> {
        self.texts(
            "select format('%s %s %s %s [%s]', e.external_part_id, e.number, coalesce(p.external_payout_id, '-'), trim_scale(e.amount),
               (select string_agg(l.line_type || ' ' || trim_scale(l.amount), ', ' order by l.number) from robnu.payout_lines l
                where l.entry_id = e.id))
             from robnu.payout_entries e left join robnu.payouts p on p.id = e.payout_id
             where e.account_id = $1 order by e.external_part_id, e.number",
        )
        .await
    }

    async fn sums(&self) -> Vec<String> {
        self.texts(
            "select concat_ws(' ', external_payout_id, source, trim_scale(net_amount), entries, unbalanced_entries)
             from robnu.payouts where account_id = $1 order by external_payout_id",
        )
        .await
    }

    /// Every row with the transaction that wrote it.
    async fn rows(&self) -> Vec<String> {
        self.texts(
            "select 'payout ' || p.xmin || p::text from robnu.payouts p where account_id = $1
             union all select 'entry ' || e.xmin || e::text from robnu.payout_entries e where account_id = $1
             union all select 'line ' || l.xmin || l::text from robnu.payout_lines l join robnu.payout_entries e on e.id = l.entry_id
               where e.account_id = $1
             union all select 'change ' || c.xmin || c::text from robnu.payout_changes c join robnu.payouts p on p.id = c.payout_id
               where p.account_id = $1
             order by 1",
        )
        .await
    }
}

#[test]
fn any_sequence_of_pages_leaves_what_the_rules_say_and_a_repeated_page_touches_no_row() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stand = runtime.block_on(Stand::new());
    let config = ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&pages(), |pages| {
        runtime.block_on(async {
            stand.clear().await;
            let mut model = Model::default();
            for page in &pages {
                model.apply(page);
                stand.store(RunId::new(), page).await;
                prop_assert_eq!(stand.shown().await, model.shown());
                prop_assert_eq!(stand.sums().await, model.sums());
                let before = stand.rows().await;
                prop_assert_eq!(stand.store(RunId::new(), page).await, 0, "the page again");
                prop_assert_eq!(stand.rows().await, before, "the page again");
            }
            Ok(())
        })
    });
    outcome.unwrap();
}

fn sale(amount: i64, place: &str) -> PayoutEntry {
    let mut entry = PayoutEntry {
        marketplace_type: "Order".to_owned(),
        external_order_id: Some("404-0000001-0000001".to_owned()),
        place: Some(place.to_owned()),
        ..PayoutEntry::default()
    };
    entry.add(PayoutLineType::Sale, "Principal", Some(Decimal::from(amount)));
    entry
}

#[tokio::test]
async fn a_later_run_that_changes_a_payout_raises_its_revision_and_tells_what_was_before() {
    let stand = Stand::new().await;
    let of = |id, entries| part(PayoutSource::AmazonSettlement, id, Some(0), entries);
    let first = RunId::new();
    stand.store(first, &vec![of(0, vec![sale(10, "row 2"), sale(20, "row 3")])]).await;
    stand.store(first, &vec![of(1, vec![sale(5, "row 4")])]).await;
    let changes = "select concat_ws(' ', change, external_part_id, number, before->>'amount', after->>'amount', before->>'place',
            (before - 'place') = (after - 'place') or not (before ?& (select array_agg(key) from jsonb_object_keys(after) key)))
        from robnu.payout_changes c join robnu.payouts p on p.id = c.payout_id where p.account_id = $1 order by c.id";
    let revision = "select concat_ws(' ', revision, trim_scale(net_amount)) from robnu.payouts where account_id = $1 and external_payout_id = 'P0'";
    assert_eq!(
        stand.texts(revision).await,
        ["1 35"],
        "a payout that comes in several pages of a run is as it was first stored"
    );
    assert_eq!(stand.texts(changes).await, [""; 0]);

    let second = RunId::new();
    stand.store(second, &vec![of(0, vec![sale(11, "row 2")])]).await;
    stand.store(second, &vec![of(2, vec![sale(7, "row 9")])]).await;
    assert_eq!(stand.texts(revision).await, ["2 23"], "one run, one revision");
    let told = [
        "CHANGED AMAZON_SETTLEMENT 0 1 10 11 row 2 f",
        "REMOVED AMAZON_SETTLEMENT 0 2 20 row 3",
        "ADDED AMAZON_SETTLEMENT 2 1 7",
    ];
    assert_eq!(stand.texts(changes).await, told);

    let moved = vec![of(0, vec![sale(11, "row 77")])];
    stand.store(RunId::new(), &moved).await;
    assert_eq!(
        stand.texts(revision).await,
        ["2 23"],
        "an entry that only moved within its file has not changed"
    );
}
