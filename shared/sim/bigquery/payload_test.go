package bigquery

import "github.com/providerdesk/providerdesk/shared/sim/rest"

// parsePayload checks a text, a request's or an answer's, as bodies of requests are checked.
func parsePayload(schema string, text []byte) (object, *rest.Failure) {
	return bodies().Parse(schema, text)
}
