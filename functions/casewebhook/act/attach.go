package act

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// MaxFile is the largest file that is put on a case, in bytes. It is held in memory, so that a desk gets the whole of it or nothing.
const MaxFile = 5 << 20

// Attaching is a file to be put on a case. Its content is fetched when it is needed and never stored with the effect.
type Attaching struct {
	Target
	Name string        `json:"name"` // as people call it
	Type string        `json:"type,omitempty"`
	From chat.Platform `json:"from,omitempty"` // where File is
	File chat.File     `json:"file,omitzero"`
	Text string        `json:"text,omitempty"` // or the name of a text that is stored here
	By   string        `json:"by,omitempty"`
}

// Attached is a file that is there.
type Attached struct {
	Case string `json:"case"`
	Name string `json:"name"` // as the desk has it
}

// Fetch writes the content of a file, no more than MaxFile bytes: a larger one is fault.Invalid.
type Fetch func(ctx context.Context, a Attaching, w io.Writer) error

// AttachKind is the effect case.attach.
type AttachKind = ledger.Kind[Attaching, Attached]

// RegisterAttach makes case.attach known to a ledger: a file whose name at the desk begins with the effect's marker.
func RegisterAttach(l *ledger.Ledger, desks Desks, fetch Fetch) (AttachKind, error) {
	return ledger.Register(l, ledger.Spec{Kind: "case.attach", Class: ledger.Marked}, ledger.Effect[Attaching, Attached](attachEffect{desks, fetch}))
}

type attachEffect struct {
	desks Desks
	fetch Fetch
}

func (e attachEffect) Call(ctx context.Context, p Attaching, t ledger.Token) (ledger.Act[Attached], error) {
	d, at, err := p.Of(e.desks, t)
	if err != nil {
		return ledger.Act[Attached]{}, fault.Unsent(err)
	}
	var content limited
	if err := e.fetch(ctx, p, &content); err != nil {
		return ledger.Act[Attached]{}, unfetched(err)
	}
	a, err := d.Attach(ctx, at.Case, fileName(t.Marker, p.Name), p.Type, bytes.NewReader(content.Bytes()))
	return attached(at, a), err
}

// unfetched is the error of a file that could not be had. One that is too large, gone or not for us will not come.
func unfetched(err error) error {
	switch fault.Of(err) {
	case fault.Invalid, fault.Missing, fault.Denied:
		return err
	}
	return fault.Unsent(fault.Wrap(fault.Of(err), err, "fetch a file"))
}

func (e attachEffect) Find(ctx context.Context, p Attaching, t ledger.Token, _ bool) ([]ledger.Act[Attached], error) {
	d, at, err := p.Of(e.desks, t)
	if err != nil {
		return nil, err
	}
	all, err := d.Attachments(ctx, at.Case)
	var acts []ledger.Act[Attached]
	for _, a := range all {
		if strings.HasPrefix(a.File, t.Marker+"-") {
			acts = append(acts, attached(at, a))
		}
	}
	return acts, err
}

func attached(at Target, a desk.Attachment) ledger.Act[Attached] {
	return ledger.Act[Attached]{ID: a.Name, Result: Attached{at.Case, a.File}}
}

// fileName is the name of a file at a desk: the marker, and what is harmless of the name that people gave it.
func fileName(marker, name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, chat.Line(name, 100))
	return marker + "-" + strings.TrimLeft(name, ".")
}

// limited is a buffer that refuses what is too much, whoever writes.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > MaxFile {
		return 0, fault.New(fault.Invalid, "the file is larger than %d MiB", MaxFile>>20)
	}
	return l.Buffer.Write(p)
}
