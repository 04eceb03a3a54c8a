package gapi

import (
	"context"
	"errors"

	"github.com/providerdesk/providerdesk/shared/fault"
)

const maxPages = 1000 // of one listing: more is a server that does not end

var errEndless = errors.New("the listing does not end")

// Pages reads a listing to its end, a read for each page. A page may be empty and still have a successor.
func Pages[T any](ctx context.Context, doing string, fetch func(ctx context.Context, token string) (page []T, next string, err error)) ([]T, error) {
	var all []T
	token := ""
	for range maxPages {
		var page []T
		var next string
		err := Do(ctx, doing, func(ctx context.Context) (err error) {
			page, next, err = fetch(ctx, token)
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if next == "" {
			return all, nil
		}
		if next == token {
			break
		}
		token = next
	}
	return nil, fault.Wrap(fault.Transient, errEndless, doing)
}
