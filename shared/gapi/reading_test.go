package gapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// listing is what a server answers to page tokens: items and the next token.
type listing map[string][2]string

func TestPages(t *testing.T) {
	for name, c := range map[string]struct {
		server listing
		want   string
		kind   fault.Kind
	}{
		"one page":               {listing{"": {"a b", ""}}, "a b", ""},
		"an empty page between":  {listing{"": {"a", "1"}, "1": {"", "2"}, "2": {"b", ""}}, "a b", ""},
		"the same page for ever": {listing{"": {"a", "1"}, "1": {"b", "1"}}, "", fault.Transient},
		"a ring of pages":        {listing{"": {"a", "1"}, "1": {"b", "2"}, "2": {"c", "1"}}, "", fault.Transient},
		"a page that fails":      {listing{"": {"a", "gone"}}, "", fault.Missing},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := gapi.Pages(t.Context(), "list", func(_ context.Context, token string) ([]string, string, error) {
				page, ok := c.server[token]
				if !ok {
					return nil, "", fault.New(fault.Missing, "no such page")
				}
				return strings.Fields(page[0]), page[1], nil
			})
			if c.kind != "" && !fault.Is(err, c.kind) || c.kind == "" && err != nil || !slices.Equal(got, strings.Fields(c.want)) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

var errFull = errors.New("full")

// full takes a few bytes.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return 0, errFull
	}
	f.left -= len(p)
	return len(p), nil
}

// broken is a body that ends too early.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestDownload(t *testing.T) {
	const text = "twelve bytes"
	answer := func(body io.Reader) func(context.Context) (*http.Response, error) {
		return func(context.Context) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(body)}, nil
		}
	}
	for name, c := range map[string]struct {
		limit int64
		body  io.Reader
		want  string
		is    func(error) bool
	}{
		"as long as the limit": {12, strings.NewReader(text), text, func(err error) bool { return err == nil }},
		"no limit":             {gapi.Unlimited, strings.NewReader(text), text, func(err error) bool { return err == nil }},
		"one byte too long":    {11, strings.NewReader(text), text[:11], func(err error) bool { return fault.Is(err, fault.Invalid) }},
		"nothing is taken":     {0, strings.NewReader(text), "", func(err error) bool { return fault.Is(err, fault.Invalid) }},
		"cut on its way":       {12, broken{}, "", func(err error) bool { return fault.Is(err, fault.Transient) }},
	} {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			if err := gapi.Download(t.Context(), "read a file", c.limit, &got, answer(c.body)); !c.is(err) || got.String() != c.want {
				t.Errorf("%q, %v", got.String(), err)
			}
		})
	}
	if err := gapi.Download(t.Context(), "read a file", 12, &full{left: 3}, answer(strings.NewReader(text))); !errors.Is(err, errFull) || err != errFull {
		t.Errorf("the writer's error became %v", err)
	}
}
