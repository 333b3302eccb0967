//! The staff members whom the stack's parameter names, by their tokens' subjects.

use tokio_postgres::{Client, Error};

/// Adds the missing staff members, restores those who had been removed and removes the others. The sessions of removed staff
/// end but stay on record. `$1` token subjects
const STAFF: &str = "
with kept as (
  insert into robnu.staff as known (subject)
  select distinct unnest($1::text[])
  on conflict (subject) do update set removed_at = null where known.removed_at is not null
), removed as (
  update robnu.staff set removed_at = now() where removed_at is null and subject <> all ($1::text[])
  returning id
)
update robnu.impersonation_sessions s set ended_at = now() from removed
where s.staff_id = removed.id and s.ended_at is null and s.expires_at > now()";

/// Token subjects in a comma-separated list.
#[must_use]
pub fn subjects(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|subject| !subject.is_empty()).map(str::to_owned).collect()
}

/// Makes these people, and nobody else, staff members.
pub async fn set_staff(client: &mut Client, subjects: &[String]) -> Result<(), Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute("set local role robnu_owner").await?;
    transaction.execute(STAFF, &[&subjects]).await?;
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use super::subjects;

    #[test]
    fn an_empty_list_names_nobody() {
        assert!(subjects("").is_empty() && subjects(" , ,").is_empty());
        assert_eq!(subjects("a, b,,c "), ["a", "b", "c"]);
    }
}
