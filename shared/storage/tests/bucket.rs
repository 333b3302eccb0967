//! What the template says about the bucket. S3 itself refuses by these lines; the local S3 does not know their conditions.

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The lines of one resource of the template, as one text.
fn resource(name: &str) -> String {
    let (_, rest) = TEMPLATE.split_once(&format!("\n  {name}:\n")).unwrap_or_else(|| panic!("no {name}"));
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    let lines = lines.map(str::trim).filter(|line| !line.starts_with('#'));
    lines.collect::<Vec<_>>().join(" ")
}

/// The statement of the bucket policy with this name.
fn statement(name: &str) -> String {
    let policy = resource("BucketPolicy");
    let (_, rest) = policy.split_once(&format!("- Sid: {name} ")).unwrap_or_else(|| panic!("no {name}"));
    rest.split("- Sid:").next().unwrap_or_default().trim().to_owned()
}

#[test]
fn nobody_reaches_the_bucket_without_tls() {
    assert_eq!(
        statement("OnlyOverTls"),
        "Effect: Deny Principal: \"*\" Action: s3:* Resource: [!GetAtt Bucket.Arn, !Sub \"${Bucket.Arn}/*\"] \
         Condition: {Bool: {aws:SecureTransport: \"false\"}}"
    );
}

#[test]
fn nobody_puts_an_object_that_is_not_encrypted_or_under_a_key_of_somebody_else() {
    let puts =
        "Effect: Deny Principal: \"*\" Action: s3:PutObject Resource: !Sub \"${Bucket.Arn}/*\" Condition:";
    assert_eq!(
        statement("OnlyEncryptedByKms"),
        format!("{puts} {{StringNotEquals: {{s3:x-amz-server-side-encryption: aws:kms}}}}")
    );
    let keys = statement("OnlyWithOurKeys");
    assert!(
        keys.starts_with(&format!(
            "{puts} StringNotLike: s3:x-amz-server-side-encryption-aws-kms-key-id: - !GetAtt PlatformKey.Arn - !If [SellerKeysOn,"
        )),
        "{keys}"
    );
    // Without keys of their own, sellers' objects are under the platform's key and no other.
    let others = keys.matches("- !If [SellerKeysOn, ").count();
    assert_eq!(keys.matches("!Ref AWS::NoValue]").count(), others, "{keys}");
    assert_eq!(keys.matches(" - ").count(), 1 + others, "{keys}");
}

#[test]
fn the_policy_is_left_out_only_where_its_conditions_are_unknown_and_belongs_to_the_bucket() {
    let policy = resource("BucketPolicy");
    assert!(
        policy.starts_with("Type: AWS::S3::BucketPolicy Condition: OnAws Properties: Bucket: !Ref Bucket ")
    );
    assert!(TEMPLATE.contains("\n  OnAws: !Not [!Condition IsLocal]\n"));
}

#[test]
fn the_bucket_is_private_keeps_versions_and_lets_objects_go_after_their_time() {
    let bucket = resource("Bucket");
    for setting in [
        "BucketKeyEnabled: false ServerSideEncryptionByDefault: SSEAlgorithm: aws:kms KMSMasterKeyID: !GetAtt PlatformKey.Arn",
        "Rules: [{ObjectOwnership: BucketOwnerEnforced}]",
        "BlockPublicAcls: true BlockPublicPolicy: true IgnorePublicAcls: true RestrictPublicBuckets: true",
        "VersioningConfiguration: {Status: Enabled}",
        "AbortIncompleteMultipartUpload: {DaysAfterInitiation: 7}",
        "NoncurrentVersionExpiration: {NoncurrentDays: 30}",
        "Prefix: exports/ ExpirationInDays: 31",
        "Prefix: imports/ ExpirationInDays: 90",
        "ExpirationInDays: 400",
    ] {
        assert!(bucket.contains(setting), "the bucket lacks {setting}");
    }
    assert!(!bucket.contains("Status: Disabled") && !bucket.contains("Prefix: documents/"), "documents stay");
}
