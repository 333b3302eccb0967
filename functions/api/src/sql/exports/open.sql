-- Records that an export is about to be downloaded, if the caller may see it and its file is there. $1 export
select robnu.open_export($1)
