-- Nothing: entering the scope is the question.
select true as is_staff
