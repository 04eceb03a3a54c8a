package google

import (
	"context"
	"errors"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

var errEndless = errors.New("the listing does not end")

// pages reads a listing to its end. A page may be empty and still have a successor.
func pages[T any](ctx context.Context, doing string, fetch func(ctx context.Context, token string) ([]T, string, error)) ([]T, error) {
	var out []T
	token := ""
	for range maxPages {
		var page []T
		var next string
		err := gapi.Do(ctx, doing, func(ctx context.Context) (err error) {
			page, next, err = fetch(ctx, token)
			return err
		})
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if next == "" {
			return out, nil
		}
		if next == token {
			break
		}
		token = next
	}
	return nil, fault.Wrap(fault.Transient, errEndless, doing)
}
