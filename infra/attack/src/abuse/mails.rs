//! Misuses the platform as a mail relay. Invitations are withdrawn and made again, from several sellers, in several spellings of
//! one mailbox, and to as many strangers as possible.

use reqwest::Method;
use serde_json::json;

use super::budgets::{Count, MAILS, MAILS_TO_DOTS, MAILS_TO_ONE, SIGN_UPS};
use super::environment::{Caller, Environment};

/// Strangers that each seller invites.
const STRANGERS: usize = 35;
const SELLERS: usize = 3;
const SIGN_UPS_TRIED: usize = 8;

/// Sends as many mails as it can.
pub async fn run(environment: &Environment<'_>) -> anyhow::Result<Vec<Count>> {
    let run = &environment.traces.run()[20..];
    let domain = environment.traces.email("").to_lowercase();
    let at = |mailbox: &str| format!("{mailbox}{domain}");
    let plus = [at("victim"), at("victim+1"), at("Victim"), at("victim+a+b"), at("VICTIM+2")];
    let dots = [
        format!("tools{run}@gmail.com"),
        format!("t.ools{run}@gmail.com"),
        format!("to.o.ls{run}@googlemail.com"),
        format!("Tools{run}+x@GMail.com"),
    ];
    let (to_one, to_dots) =
        (environment.person("mailer").await?, environment.person("mailer-of-dots").await?);
    let to_all = environment.person("mailer-of-all").await?;
    tokio::try_join!(
        pester(environment, &to_one, &plus),
        pester(environment, &to_dots, &dots),
        mail_everybody(environment, &to_all, &domain),
    )?;
    let victim = at("victim");
    let one = environment.mails(|address| folded(address) == victim).await?;
    let dots = environment.mails(|address| folded(address).contains(&format!("tools{run}"))).await?;
    let all =
        environment.mails(|address| address.starts_with("stranger-") && address.ends_with(&domain)).await?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Ok(vec![
        MAILS_TO_ONE.count(count(SELLERS * plus.len()), one),
        MAILS_TO_DOTS.count(count(SELLERS * 4), dots),
        MAILS.count(count(SELLERS * STRANGERS), all),
    ])
}

/// Signs up sellers with many spellings of one mailbox: every plus sign makes a new address, and so a new person.
pub async fn sign_up(environment: &Environment<'_>) -> anyhow::Result<Vec<Count>> {
    let mut made = 0;
    for number in 0..SIGN_UPS_TRIED {
        let person = environment.person(&format!("newcomer+{number}")).await?;
        let body = json!({"name": "one more"});
        made +=
            u64::from(environment.call(&person, Method::POST, "/v1/sellers", Some(body)).await?.is_done());
    }
    Ok(vec![SIGN_UPS.count(u64::try_from(SIGN_UPS_TRIED)?, made)])
}

/// The mailbox of an address: in lower case, without the part after a plus sign, and at Gmail without dots.
fn folded(address: &str) -> String {
    let small = address.to_lowercase();
    let (mailbox, domain) = small.split_once('@').unwrap_or((&small, ""));
    let mailbox = mailbox.split('+').next().unwrap_or_default();
    if domain.starts_with("gmail.") || domain.starts_with("googlemail.") {
        return mailbox.replace('.', "");
    }
    format!("{mailbox}@{domain}")
}

/// Invites each spelling from each seller. Withdraws each invitation, so that it does not block the next.
async fn pester(environment: &Environment<'_>, who: &Caller, spellings: &[String]) -> anyhow::Result<()> {
    for _ in 0..SELLERS {
        let seller = environment.seller(who).await?;
        let path = format!("/v1/sellers/{seller}/invitations");
        for spelling in spellings {
            let body = json!({"email": spelling, "role": "VIEWER"});
            let invited = environment.call(who, Method::POST, &path, Some(body)).await?;
            if let Some(id) = invited.body["invitation_id"].as_str() {
                environment.call(who, Method::DELETE, &format!("{path}/{id}"), None).await?;
            }
        }
    }
    Ok(())
}

async fn mail_everybody(environment: &Environment<'_>, who: &Caller, domain: &str) -> anyhow::Result<()> {
    for seller_number in 0..SELLERS {
        let seller = environment.seller(who).await?;
        let path = format!("/v1/sellers/{seller}/invitations");
        for number in 0..STRANGERS {
            let body =
                json!({"email": format!("stranger-{seller_number}-{number}{domain}"), "role": "VIEWER"});
            environment.call(who, Method::POST, &path, Some(body)).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn spellings_of_a_mailbox_count_as_one() {
        assert_eq!(folded("Victim+a+b@Example.invalid"), "victim@example.invalid");
        assert_eq!(folded("to.o.ls+x@googlemail.com"), folded("Tools@GMail.com"));
    }
}
