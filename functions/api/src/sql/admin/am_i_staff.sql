-- Selects nothing: scope entry is the check.
select true as is_staff
