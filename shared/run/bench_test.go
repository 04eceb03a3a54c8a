package run

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/logs"
)

// BenchmarkOverhead compares the frame, log line included, with a handler that reads the same body and does nothing else.
func BenchmarkOverhead(b *testing.B) {
	log := logs.New(io.Discard, logs.Options{Service: "bench", Project: "acme", Level: slog.LevelInfo})
	o := Options{Trusted: true, Log: log}
	for name, h := range map[string]http.HandlerFunc{
		"bare": func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.WriteHeader(200)
		},
		"event": Event("f", opens(returning(nil)), o),
		"http": HTTP("f", opens(HTTPHandler(func(_ context.Context, r *http.Request) (Response, error) {
			_, err := Body(r, 1<<20)
			return Response{}, err
		})), o),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "/", strings.NewReader(push))
				r.Header.Set("Traceparent", trace)
				w := httptest.NewRecorder()
				h(w, r)
				if w.Code != 200 {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
