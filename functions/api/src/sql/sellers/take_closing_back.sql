-- Takes the asking back: TAKEN_BACK or TOO_LATE.
select robnu.take_closing_back() as outcome
