package event

import (
	"mime"
	"net/http"
	"strings"
)

// mode is the way in which a request carries its event.
type mode int

const (
	push mode = iota
	structured
	binary
	unwrapped
	batch
	foreign // a CloudEvent in a format other than JSON
)

func modeOf(h http.Header) mode {
	switch media := mediaType(h.Get("Content-Type")); {
	case media == "application/cloudevents+json":
		return structured
	case strings.HasPrefix(media, "application/cloudevents-batch"):
		return batch
	case strings.HasPrefix(media, "application/cloudevents"):
		return foreign
	case hasAny(h, "Ce-Specversion", "Ce-Id", "Ce-Source", "Ce-Type"):
		return binary
	case hasAny(h, metaID, metaSubscription):
		return unwrapped
	}
	return push
}

// mediaType returns the lower-case media type without its parameters, even when the parameters are malformed.
func mediaType(contentType string) string {
	if media, _, err := mime.ParseMediaType(contentType); err == nil {
		return media
	}
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// isJSON reports whether data of this content type is JSON; CloudEvents says so of data without one.
func isJSON(contentType string) bool {
	media := mediaType(contentType)
	return media == "" || strings.HasSuffix(media, "/json") || strings.HasSuffix(media, "+json")
}

func hasAny(h http.Header, names ...string) bool {
	for _, name := range names {
		if len(h.Values(name)) > 0 {
			return true
		}
	}
	return false
}
