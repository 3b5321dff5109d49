output "upload" {
  description = "Upload an image, and have it captioned."
  value       = module.captions.upload
}

output "query" {
  description = "What became of it: the labels on the object. The document is in Firestore, in the collection captions."
  value       = module.captions.query
}

output "captions" {
  description = "The command line on this deployment."
  value       = module.captions.captions
}

output "curl" {
  description = "Alt text as a website gets it."
  value       = module.captions.curl
}

output "ask" {
  description = "A question about an image, as one of the askers, or with ask_public as anybody."
  value       = module.captions.ask
}

output "review" {
  description = "Open the review page at localhost:8080, as one of the reviewers."
  value       = module.captions.review
}

output "logs" {
  description = "The last deliveries and what they ended in."
  value       = module.captions.logs
}

output "replay" {
  description = "Deliver all uploads, deletions and requests since a time again, after an outage; what is done costs nothing."
  value       = module.captions.replay
}

output "dashboard" {
  description = "Outcomes, calls, tokens, cost, latency and backlog."
  value       = module.captions.dashboard
}

output "try" {
  description = "With hold_new_revisions: tag the newest revision of caption-request as next, and have it answer an event, without any traffic. Then see its line with the command that the output logs prints."
  value       = module.captions.try
}

output "rollback" {
  description = "Give all events and requests back to the revisions before the last ones, at once."
  value       = module.captions.rollback
}

output "promote" {
  description = "Give all events and requests to the newest revisions: after hold_new_revisions, or a rollback."
  value       = module.captions.promote
}
