// name: gds_heap
// about: returns how much heap the server has left, and has at most, in bytes
// parameters: none
// returns: key, value
CALL gds.debug.sysInfo() YIELD key, value
WITH key, value WHERE key IN ['availableHeapInBytes', 'heapMaxInBytes']
RETURN key, value
