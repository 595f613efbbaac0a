// name: ambiguous_handles
// about: counts the handles that several users claim
// parameters: none
// returns: handles
MATCH (h:kindred_Handle)
MATCH (u:User {kindred_claim: h.user_id})
WITH h, count(u) AS claims WHERE claims > 1
RETURN count(h) AS handles
