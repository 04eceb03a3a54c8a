package cloudsupport

// allOperations has an entry for every method of the contract.
func (s *Server) allOperations() map[string]operation {
	const subscriptions = "organizations.supportEventSubscriptions."
	return map[string]operation{
		"caseClassifications.search": s.searchClasses,
		"cases.attachments.get":      s.getAttachment,
		"cases.attachments.list":     s.listAttachments,
		"cases.close":                s.closeCase,
		"cases.comments.create":      s.createComment,
		"cases.comments.get":         s.getComment,
		"cases.comments.list":        s.listComments,
		"cases.create":               s.createCase,
		"cases.escalate":             s.escalateCase,
		"cases.get":                  s.getCase,
		"cases.list":                 s.listCases,
		"cases.patch":                s.patchCase,
		"cases.search":               s.searchCases,
		"media.download":             s.download,
		"media.upload":               s.attach,
		subscriptions + "create":     s.createSubscription,
		subscriptions + "delete":     s.deleteSubscription,
		subscriptions + "expunge":    s.expungeSubscription,
		subscriptions + "get":        s.getSubscription,
		subscriptions + "list":       s.listSubscriptions,
		subscriptions + "patch":      s.patchSubscription,
		subscriptions + "undelete":   s.undeleteSubscription,
	}
}
