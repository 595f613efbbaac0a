// name: set_report
// about: replaces the report of a load
// parameters: number (INTEGER) of the load
// parameters: report (STRING) JSON of what it did
// returns: none
MATCH (b:kindred_Batch {number: $number})
SET b.report = $report
