-- Replaces the ciphertexts and digests of quarantined records, as far as nobody has written to them meanwhile. Returns how many.
-- $1 rows, $2 their ciphertexts before, $3 the new ones, $4 the new digests
select robnu.seal_records_anew($1, $2, $3, $4) as replaced
