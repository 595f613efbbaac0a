// name: publish_step
// about: marks a writing connection with a step, unless that was its last one already
// parameters: owner (STRING) the writer's own mark
// parameters: number (INTEGER) of the worker, from 0
// parameters: step (STRING) mark of the step, met once
// returns: step
MATCH (w:kindred_Worker {owner: $owner, number: $number})
WHERE w.step IS NULL OR w.step <> $step
SET w.step = $step
RETURN w.step AS step
