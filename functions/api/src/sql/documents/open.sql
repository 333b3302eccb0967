-- Records the download of a document that holds a customer's data, and refuses anyone who may not read customers. $1 document
select robnu.open_document($1)
