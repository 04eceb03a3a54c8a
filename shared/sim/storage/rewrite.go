package storage

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const mebibyte = 1 << 20

// rewrite copies an object under another name, in as many calls as it takes. The token says how far it is; it needs no memory of ours.
func (s *Server) rewrite(tx *tx, rq *request) (server.Reply, error) {
	source, err := tx.live(rq.params["sourceBucket"], rq.params["sourceObject"], rq.Query.Get("sourceGeneration"))
	if err != nil {
		return server.Reply{}, err
	}
	to := objectRecord{Bucket: rq.params["destinationBucket"], Name: rq.params["destinationObject"], Content: source.Content}
	f := checkName(to.Name)
	if f == nil {
		f = tx.conditions(source.Bucket, source.Name, rq.Query, "Source", http.StatusPreconditionFailed)
	}
	if f == nil {
		f = tx.conditions(to.Bucket, to.Name, rq.Query, "", http.StatusPreconditionFailed)
	}
	if f != nil {
		return server.Reply{}, f
	}
	done, identity, f := s.progress(rq, source, to)
	if f != nil {
		return server.Reply{}, f
	}
	out := wireRewrite{Kind: "storage#rewriteResponse", Written: done, Size: source.Content.Bytes}
	if done < source.Content.Bytes {
		out.Token = s.ids.PageToken(identity, strconv.FormatInt(done, 10))
		return answer(out)
	}
	to.Settings = rewritten(source.Settings, rq.object)
	resource := tx.put(to).wire(rq.Base)
	out.Done, out.Resource = true, &resource
	return answer(out)
}

type wireRewrite struct {
	Kind     string      `json:"kind"`
	Written  int64       `json:"totalBytesRewritten,string"`
	Size     int64       `json:"objectSize,string"`
	Done     bool        `json:"done"`
	Token    string      `json:"rewriteToken,omitempty"`
	Resource *wireObject `json:"resource,omitempty"`
}

// progress is how many bytes are rewritten after this call. Its identity is all that a token is good for.
func (s *Server) progress(rq *request, source, to objectRecord) (done int64, identity string, f *failure) {
	identity = fmt.Sprintf("%q %q %d %q %q", source.Bucket, source.Name, source.Generation, to.Bucket, to.Name)
	if token := rq.Query.Get("rewriteToken"); token != "" {
		place, ok := s.ids.Place(identity, token)
		if !ok {
			return 0, "", invalid("The rewriteToken is not valid for this rewrite.")
		}
		done = number(place)
	}
	budget, f := s.budget(rq)
	if f != nil {
		return 0, "", f
	}
	if budget == 0 {
		return source.Content.Bytes, identity, nil
	}
	return min(done+budget, source.Content.Bytes), identity, nil
}

// budget is how many bytes one call rewrites, 0 for all of them.
func (s *Server) budget(rq *request) (int64, *failure) {
	text := rq.Query.Get("maxBytesRewrittenPerCall")
	asked := number(text)
	switch {
	case text == "":
		return s.opts.Rewrite, nil
	case asked <= 0 || asked%mebibyte != 0:
		return 0, invalid("The maxBytesRewrittenPerCall must be a multiple of 1 MiB.")
	case s.opts.Rewrite > 0:
		return min(asked, s.opts.Rewrite), nil
	}
	return asked, nil
}

// rewritten are the settings of the copy: the source's, unless the caller says any.
func rewritten(source settings, said metadata) settings {
	if said.Type == "" && said.Metadata == nil && said.Disposition == "" && said.Cache == "" {
		return source
	}
	said.settings.Type = said.kindOf(source.Type)
	return said.settings
}
