//! What the function of lanes needs in the local AWS: a function that lanes feed. It refuses every message, because only the lanes themselves
//! are looked at.

use anyhow::Context;
use aws_sdk_lambda::operation::delete_function::DeleteFunctionError;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use robnu_tenancy::AccountId;
use robnu_testkit::local_aws;

use crate::aws::Aws;

/// A zip of `refuse.py`, whose `handler` raises.
const REFUSING_FUNCTION: &str = "UEsDBBQAAAAAAAAAIQBORMK2PAAAADwAAAAJAAAAcmVmdXNlLnB5ZGVmIGhhbmRsZXIoZXZlbnQsIGNvbnRleHQpOgogICAgcmFpc2UgRXhjZXB0aW9uKCJyZWZ1c2VkIikKUEsBAhQDFAAAAAAAAAAhAE5EwrY8AAAAPAAAAAkAAAAAAAAAAAAAAKQBAAAAAHJlZnVzZS5weVBLBQYAAAAAAQABADcAAABjAAAAAAA=";

/// The function and its mappings.
#[derive(Debug)]
pub struct Fed {
    lambda: aws_sdk_lambda::Client,
    /// The ARN of the alias that lanes feed.
    pub alias: String,
}

impl Fed {
    /// Makes the function and its alias.
    pub async fn new(aws: &Aws) -> anyhow::Result<Self> {
        let lambda = aws_sdk_lambda::Client::new(&local_aws().await);
        let name = name(aws);
        let zip = BASE64_STANDARD.decode(REFUSING_FUNCTION).context("read the function's code")?;
        let make = lambda.create_function().function_name(&name).runtime(Runtime::Python312);
        let make = make.handler("refuse.handler").role(&aws.objects_role).publish(true);
        let code = FunctionCode::builder().zip_file(Blob::new(zip)).build();
        make.code(code).send().await.context("make a function")?;
        let alias = lambda.create_alias().function_name(&name).name("live").function_version("1").send();
        let alias = alias.await.context("make an alias")?.alias_arn.context("read the alias's ARN")?;
        Ok(Self { lambda, alias })
    }

    /// The mappings of an account's lanes.
    pub async fn mappings(&self, account: AccountId) -> anyhow::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut pages = self.lambda.list_event_source_mappings().into_paginator().send();
        while let Some(page) = pages.next().await {
            let of_account = page?.event_source_mappings.unwrap_or_default().into_iter().filter(|mapping| {
                mapping.event_source_arn.as_deref().is_some_and(|arn| arn.contains(&account.to_string()))
            });
            found.extend(of_account.filter_map(|mapping| mapping.uuid));
        }
        Ok(found)
    }

    /// Removes the mappings of an account's lanes.
    pub async fn remove_mappings(&self, account: AccountId) -> anyhow::Result<()> {
        for id in self.mappings(account).await? {
            self.lambda.delete_event_source_mapping().uuid(id).send().await?;
        }
        Ok(())
    }
}

/// Removes the function and what feeds it, if a run has made them, however the run ended.
pub async fn remove(aws: &Aws) -> anyhow::Result<()> {
    let lambda = aws_sdk_lambda::Client::new(&local_aws().await);
    let mut pages = lambda.list_event_source_mappings().into_paginator().send();
    while let Some(page) = pages.next().await {
        for mapping in page?.event_source_mappings() {
            if mapping.event_source_arn().is_some_and(|arn| arn.contains(&aws.prefix)) {
                lambda.delete_event_source_mapping().set_uuid(mapping.uuid.clone()).send().await?;
            }
        }
    }
    let removed = lambda.delete_function().function_name(name(aws)).send().await;
    match removed {
        Err(error)
            if !error
                .as_service_error()
                .is_some_and(DeleteFunctionError::is_resource_not_found_exception) =>
        {
            Err(error).context("remove a function")
        }
        _ => Ok(()),
    }
}

fn name(aws: &Aws) -> String {
    format!("{}fed", aws.prefix)
}
