package google

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	api "google.golang.org/api/chat/v1"
	"google.golang.org/api/option"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Scope is what the app needs to speak and to read what it is sent; give it to gapi.Client.
const Scope = "https://www.googleapis.com/auth/chat.bot"

const mediaTimeout = 10 * time.Minute

// RoomOptions of a Room. HTTP is required.
type RoomOptions struct {
	HTTP     *http.Client // of gapi.Client, with Scope
	Endpoint string       // base URL that replaces Google's, as given to gapi.Client
	Callback string       // the address that Chat sends clicks to, if the app is an add-on; empty: it is not
}

// Room implements chat.Room.
type Room struct {
	api      *api.Service
	media    *api.Service // for downloads: more time
	callback string
}

// NewRoom returns a room. It does no I/O.
func NewRoom(o RoomOptions) (*Room, error) {
	if o.HTTP == nil {
		return nil, fault.New(fault.Invalid, "Google Chat needs an HTTP client")
	}
	if o.Callback != "" && !strings.HasPrefix(o.Callback, "https://") && !strings.HasPrefix(o.Callback, "http://") {
		return nil, fault.New(fault.Invalid, "the address that Google Chat sends clicks to begins with https://")
	}
	quick, err := service(o.HTTP, o.Endpoint)
	if err != nil {
		return nil, err
	}
	patient := *o.HTTP
	patient.Timeout = mediaTimeout
	slow, err := service(&patient, o.Endpoint)
	if err != nil {
		return nil, err
	}
	return &Room{api: quick, media: slow, callback: o.Callback}, nil
}

func service(c *http.Client, endpoint string) (*api.Service, error) {
	opts := []option.ClientOption{option.WithHTTPClient(c)}
	if endpoint != "" {
		opts = append(opts, option.WithEndpoint(strings.TrimSuffix(endpoint, "/")+"/"))
	}
	s, err := api.NewService(context.Background(), opts...) // reads the options, connects to nothing
	return s, fault.Wrap(fault.Bug, err, "make the client of the Chat API")
}

// idOf is the id of the message with a marker: at most 63 lower-case letters, digits and hyphens.
func idOf(marker string) string { return "client-" + digest("message", marker)[:48] }

// requestOf is the same for the same marker in the same place, in the form of a UUID.
func requestOf(at chat.Place, marker string) string {
	h := digest("request", at.Space, at.Thread, marker)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
}

func digest(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:])
}

func checkMarker(marker string) error {
	if marker == "" || len(marker) > 500 {
		return fault.New(fault.Invalid, "a marker has 1 to 500 bytes")
	}
	return nil
}

// Post calls spaces.messages.create.
func (r *Room) Post(ctx context.Context, at chat.Place, p chat.Post, marker string) (chat.Sent, error) {
	m, err := r.render(p)
	if err := errors.Join(checkPlace(at), checkMarker(marker), err); err != nil {
		return chat.Sent{}, err
	}
	call := r.api.Spaces.Messages.Create(at.Space, m).MessageId(idOf(marker)).RequestId(requestOf(at, marker))
	if at.Thread != "" {
		m.Thread = &api.Thread{Name: at.Thread}
		call = call.MessageReplyOption("REPLY_MESSAGE_OR_FAIL")
	}
	var sent chat.Sent
	err = gapi.Do(ctx, "post a message", func(ctx context.Context) error {
		m, err := call.Context(ctx).Do()
		if err != nil {
			return err
		}
		sent, err = sentOf(at, m)
		return err
	})
	return sent, err
}

// sentOf reads where a message is. An answer that does not say so is no answer.
func sentOf(at chat.Place, m *api.Message) (chat.Sent, error) {
	if m == nil || !messageForm.MatchString(m.Name) || !strings.HasPrefix(m.Name, at.Space+"/") {
		return chat.Sent{}, fault.Wrap(fault.Transient, errors.New("the answer holds no message of the space"), "read a message")
	}
	if m.Thread != nil && strings.HasPrefix(m.Thread.Name, at.Space+"/") && threadForm.MatchString(m.Thread.Name) {
		at.Thread = m.Thread.Name
	}
	return chat.Sent{Place: at, Name: m.Name}, nil
}

// Edit calls spaces.messages.patch. The marker is the message's id, which stays.
func (r *Room) Edit(ctx context.Context, s chat.Sent, p chat.Post, marker string) error {
	m, err := r.render(p)
	if err := errors.Join(checkPlace(s.Place), checkMarker(marker), err); err != nil {
		return err
	}
	if !messageForm.MatchString(s.Name) || !strings.HasPrefix(s.Name, s.Place.Space+"/") {
		return fault.New(fault.Invalid, "not a message of the space")
	}
	m.FallbackText = "" // cannot be changed
	return gapi.Do(ctx, "edit a message", func(ctx context.Context) error {
		_, err := r.api.Spaces.Messages.Patch(s.Name, m).UpdateMask("text,cardsV2").Context(ctx).Do()
		return err
	})
}

// Find gets the message whose id is made of the marker. There is one at most.
func (r *Room) Find(ctx context.Context, at chat.Place, marker string, since time.Time) ([]chat.Sent, error) {
	if err := errors.Join(checkPlace(at), checkMarker(marker)); err != nil {
		return nil, err
	}
	var found []chat.Sent
	err := gapi.Do(ctx, "look for a message", func(ctx context.Context) error {
		m, err := r.api.Spaces.Messages.Get(at.Space + "/messages/" + idOf(marker)).Context(ctx).Do()
		if err != nil {
			return err
		}
		sent, err := sentOf(at, m)
		if err != nil || m.DeleteTime != "" || at.Thread != "" && sent.Place.Thread != at.Thread {
			return err
		}
		if created, err := time.Parse(time.RFC3339Nano, m.CreateTime); err == nil && created.Before(since.Truncate(time.Microsecond)) {
			return nil
		}
		found = []chat.Sent{sent}
		return nil
	})
	if fault.Is(err, fault.Missing) {
		return nil, nil
	}
	return found, err
}

// Space calls spaces.get: whether we are in a space.
func (r *Room) Space(ctx context.Context, name string) error {
	if err := checkPlace(chat.Place{Platform: chat.Google, Space: name}); err != nil {
		return err
	}
	return gapi.Do(ctx, "look at a space", func(ctx context.Context) error {
		_, err := r.api.Spaces.Get(name).Context(ctx).Do()
		return err
	})
}

// Download calls media.download. At most limit bytes come to w. After an error w holds part of the file.
func (r *Room) Download(ctx context.Context, f chat.File, limit int64, w io.Writer) error {
	switch {
	case f.Ref == "":
		return fault.New(fault.Invalid, "the file is in Google Drive, where we cannot read it; attach a copy to the message")
	case !mediaForm.MatchString(f.Ref) || strings.Contains(f.Ref, ".."):
		return fault.New(fault.Invalid, "not a file of Google Chat")
	}
	return gapi.Download(ctx, "download a file", limit, w, func(ctx context.Context) (*http.Response, error) {
		return r.media.Media.Download(f.Ref).Context(ctx).Download()
	})
}
