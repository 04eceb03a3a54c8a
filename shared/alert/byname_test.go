package alert

import "testing"

// bodyDecoder decodes what comes without header and attributes.
type bodyDecoder = func([]byte) ([]Incident, error)

func byName(source string) (bodyDecoder, bool) {
	decode, ok := ByName(source)
	if !ok {
		return nil, false
	}
	return func(body []byte) ([]Incident, error) { return decode(Message{Body: body}) }, true
}

func TestByNameKnowsItsSources(t *testing.T) {
	for _, source := range Sources() {
		if _, ok := ByName(source); !ok {
			t.Errorf("no decoder for %s", source)
		}
	}
	for _, source := range []string{"", "nagios", "Grafana"} {
		if _, ok := ByName(source); ok {
			t.Errorf("a decoder for %q", source)
		}
	}
}
