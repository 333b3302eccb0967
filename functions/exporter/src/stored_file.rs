//! The files in the bucket that an archive holds: documents and imported files, in the order in which they were made.

use robnu_marketplace::code::MarketplaceCode;
use robnu_storage::StorageError;
use robnu_storage::objects::{
    ContentType, DocumentParent, DocumentType, MarketplaceFolder, ObjectBody, ObjectKey, Sha256,
};
use robnu_tenancy::{Access, Error, ImportId, ObjectId, Permission, Row, SellerScope};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::ExportError;
use crate::store::Export;

const STORED_FILES: &str = include_str!("sql/stored_files.sql");
/// How many are looked up at once. Each time it is checked whether the member may still have them.
const PAGE: i64 = 20;
/// How many bytes of a file are read at once.
const PIECE: usize = 1024 * 1024;

/// The folders of an archive that files are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Folder {
    /// Documents.
    Documents,
    /// Imported files.
    Imports,
}

impl Folder {
    /// Its name, which is also the name of the list that has a row for each file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Imports => "imports",
        }
    }
}

/// A file in the bucket.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// Its id: that of the document or the import.
    pub id: ObjectId,
    /// Where it is in an archive.
    pub folder: Folder,
    /// Its content type, as its sender stated it.
    pub content: ContentType,
    /// Its bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Sha256,
    key: ObjectKey,
    version: Option<String>,
}

impl StoredFile {
    /// Its name in an archive. It is made of its id, because the names that members gave may be equal, and may be paths.
    pub fn name(&self) -> String {
        format!("{}/{}.{}", self.folder.name(), self.id, self.content.ending())
    }

    /// A file of this size, for tests.
    #[cfg(test)]
    pub fn of_size(size: u64) -> Self {
        let (id, import) = (ObjectId::new(), ImportId::new());
        let marketplace = MarketplaceFolder::new("MEESHO").expect("a code");
        let key = ObjectKey::ImportSource { account: robnu_tenancy::AccountId::new(), import, marketplace };
        let (folder, content, sha256) = (Folder::Imports, ContentType::Csv, Sha256::of(b""));
        Self { id, folder, content, size, sha256, key, version: None }
    }

    /// Opens it from a place on; `None` when it is not in the bucket, or ends before.
    async fn open(&self, export: &Export, from: u64) -> Result<Option<ObjectBody>, ExportError> {
        match export.objects.get_from(&self.key, self.version.as_deref(), from).await {
            Ok(body) => Ok(Some(body)),
            Err(StorageError::Object { fault, .. }) if fault.may_be_missing() => {
                tracing::warn!(seller.id = %export.message.seller_id, object.id = %self.id, "a stored file cannot be read: {fault}");
                Ok(None)
            }
            Err(other) => Err(other.into()),
        }
    }
}

/// The stored file that is being read. Whatever is done between two pieces, it stays open.
#[derive(Debug, Default)]
pub struct Reader(Option<(ObjectId, ObjectBody)>);

impl Reader {
    /// Reads the next piece of a file, of which `from` bytes were read before: empty at its end, `None` when it is not in the bucket.
    pub async fn next(
        &mut self,
        export: &Export,
        file: &StoredFile,
        from: u64,
    ) -> Result<Option<Vec<u8>>, ExportError> {
        let body = match &mut self.0 {
            Some((id, body)) if *id == file.id => body,
            other => {
                let Some(body) = file.open(export, from).await? else { return Ok(None) };
                &mut other.insert((file.id, body)).1
            }
        };
        Ok(Some(body.next_bytes(PIECE).await?))
    }
}

impl TryFrom<&Row> for StoredFile {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        let id: ObjectId = row.try_get("id")?;
        let (folder, key) = match row.try_get("document_type")? {
            Some(document_type) => (Folder::Documents, document_key(row, id, document_type)?),
            None => (Folder::Imports, import_key(row, id)?),
        };
        Ok(Self {
            id,
            folder,
            content: ContentType::parse(row.try_get("content_type")?).ok_or(Error::RowShape)?,
            size: u64::try_from(row.try_get::<_, i64>("size")?).map_err(|_| Error::RowShape)?,
            sha256: Sha256::from_bytes(row.try_get("checksum")?).map_err(|_| Error::RowShape)?,
            key,
            version: row.try_get("version_id")?,
        })
    }
}

fn document_key(row: &Row, object: ObjectId, document_type: &str) -> Result<ObjectKey, Error> {
    let parent = DocumentParent::narrowest(
        row.try_get("claim_id")?,
        row.try_get("return_id")?,
        row.try_get("shipment_id")?,
        row.try_get("order_id")?,
    );
    let account = row.try_get("account_id")?;
    let document_type = DocumentType::parse(document_type);
    let (parent, document_type) = parent.zip(document_type).ok_or(Error::RowShape)?;
    Ok(ObjectKey::Document { account, parent, document_type, object })
}

fn import_key(row: &Row, object: ObjectId) -> Result<ObjectKey, Error> {
    let code: &str = row.try_get("marketplace_code")?;
    let code: MarketplaceCode = code.parse().map_err(|_| Error::RowShape)?;
    let marketplace = MarketplaceFolder::new(code.as_str()).ok_or(Error::RowShape)?;
    Ok(ObjectKey::ImportSource {
        account: row.try_get("account_id")?,
        import: ImportId::from(*object.as_uuid()),
        marketplace,
    })
}

/// Where a page of files begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageStart {
    /// Behind this file.
    pub after: Option<ObjectId>,
    /// And with this one, of which a part is in the archive. A file that was made before it and became whole later is not looked up.
    pub open: Option<ObjectId>,
}

/// The next files, in the name of the member who asked for the export; none when there are no more. Documents and imported files can
/// hold customers' data, so the member must hold `pii.read`.
pub async fn stored_files(
    context: &Context,
    export: &Export,
    PageStart { after, open }: PageStart,
) -> Result<Vec<StoredFile>, ExportError> {
    let scope = SellerScope::for_export(export.message.seller_id, export.message.export_id)
        .needing(Permission::PiiRead, Access::Read);
    let rows = context.database.read(&scope, STORED_FILES, &[&after, &open, &PAGE]).await;
    let rows = rows.map_err(|error| ExportError::Page(error.into()))?;
    Ok(rows.iter().map(StoredFile::try_from).collect::<Result<_, _>>()?)
}
