package gcs

import (
	"context"
	"errors"

	"google.golang.org/api/storage/v1"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// deed is a write to a final name.
type deed struct {
	name string
	at   blob.Generation
	id   string // of its writer
	kind string // type of the content
	sum  blob.Sum
}

var errOpen = errors.New("another object is there, and whether ours was before it is not known")

// settle runs a conditional write until it is known what became of it. After every failure the object that is there is looked at.
func (b *bucket) settle(ctx context.Context, d deed, write func() (*storage.Object, error)) (blob.Object, error) {
	for n, doubt := 0, false; ; n++ {
		o, err := b.checked(d.sum, write)
		lost := fault.Is(err, fault.Conflict)
		if err == nil || !lost && !repeatable(err) {
			return o, err
		}
		there, ours, looked := b.recognise(ctx, d)
		switch {
		case ours:
			return there, nil
		case lost && looked != nil:
			return o, fault.Wrap(fault.Transient, looked, "look whether an object was committed")
		case lost && doubt:
			return o, fault.Wrap(fault.Transient, errOpen, "commit an object")
		case lost, n == tries-1, !pause(ctx, max(b.backoff<<n, fault.RetryAfter(err))):
			return o, err
		}
		doubt = doubt || !fault.IsUnsent(err)
	}
}

// recognise looks whether the object at the final name is the one that this writer wrote.
func (b *bucket) recognise(ctx context.Context, d deed) (o blob.Object, ours bool, err error) {
	found, err := b.get(ctx, d.name)
	switch {
	case fault.Is(err, fault.Missing):
		return o, false, nil
	case err != nil:
		return o, false, err
	case found.Metadata[writer] != d.id:
		return o, false, nil
	}
	o, err = b.checked(d.sum, func() (*storage.Object, error) { return found, nil })
	return o, err == nil, err
}

var errOtherBytes = errors.New("the bytes at the remote are not those that were written")

// checked runs a write and compares what it made with what was written.
func (b *bucket) checked(sum blob.Sum, write func() (*storage.Object, error)) (blob.Object, error) {
	made, err := write()
	if err != nil {
		return blob.Object{}, err
	}
	o, err := b.object(made)
	if err == nil && (o.Bytes != sum.Bytes || o.CRC32C != sum.CRC32C) {
		err = fault.Wrap(fault.Bug, errOtherBytes, "commit an object")
	}
	return o, err
}

// rewrite gives an incoming object its final name.
func (b *bucket) rewrite(ctx context.Context, d deed, incoming *storage.Object) (*storage.Object, error) {
	for token, before := "", int64(-1); ; {
		out, err := b.rewriteOn(ctx, d, incoming, token)
		switch {
		case err != nil:
			return nil, err
		case out.Done && out.Resource != nil:
			return out.Resource, nil
		case out.RewriteToken == "" || out.TotalBytesRewritten <= before:
			return nil, fault.Wrap(fault.Transient, errNoObject, "name an object")
		}
		token, before = out.RewriteToken, out.TotalBytesRewritten
	}
}

// rewriteOn goes on with a rewrite. Without settings for the copy it has those of its source, also the id of the writer.
func (b *bucket) rewriteOn(ctx context.Context, d deed, incoming *storage.Object, token string) (out *storage.RewriteResponse, err error) {
	call := b.objects.Rewrite(b.name, incoming.Name, b.name, b.prefix+d.name, &storage.Object{}).
		SourceGeneration(incoming.Generation).IfGenerationMatch(int64(d.at)).Projection("noAcl")
	if token != "" {
		call.RewriteToken(token)
	}
	err = gapi.Do(ctx, "name an object", func(ctx context.Context) error {
		out, err = call.Context(ctx).Do()
		return err
	})
	if fault.Is(err, fault.Missing) {
		err = fault.Wrap(fault.Transient, err, "name an object") // its incoming one is gone: begin again
	}
	return out, err
}

// remove deletes an incoming object. One that is not there is what was wanted.
func (b *bucket) remove(ctx context.Context, name string) error {
	err := b.attempt(ctx, func() error {
		return gapi.Do(ctx, "delete an incoming object", func(ctx context.Context) error {
			return b.objects.Delete(b.name, name).Context(ctx).Do()
		})
	})
	if fault.Is(err, fault.Missing) {
		return nil
	}
	return err
}
