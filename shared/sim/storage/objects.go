package storage

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// wireObject is an object as answers have it.
type wireObject struct {
	Kind           string            `json:"kind"`
	ID             string            `json:"id"`
	SelfLink       string            `json:"selfLink"`
	MediaLink      string            `json:"mediaLink"`
	Name           string            `json:"name"`
	Bucket         string            `json:"bucket"`
	Generation     int64             `json:"generation,string"`
	Metageneration int64             `json:"metageneration,string"`
	Type           string            `json:"contentType"`
	Disposition    string            `json:"contentDisposition,omitempty"`
	Cache          string            `json:"cacheControl,omitempty"`
	Class          string            `json:"storageClass"`
	Size           int64             `json:"size,string"`
	MD5            string            `json:"md5Hash"`
	CRC32C         string            `json:"crc32c"`
	Etag           string            `json:"etag"`
	Metadata       map[string]string `json:"metadata,omitempty"`
	Created        string            `json:"timeCreated"`
	Updated        string            `json:"updated"`
	ClassUpdated   string            `json:"timeStorageClassUpdated"`
}

func (r objectRecord) wire(base *url.URL) wireObject {
	link := *base
	link.RawPath = link.Path + "/storage/v1/b/" + r.Bucket + "/o/" + url.PathEscape(r.Name)
	link.Path += "/storage/v1/b/" + r.Bucket + "/o/" + r.Name
	media := link
	media.RawQuery = url.Values{"alt": {"media"}, "generation": {strconv.FormatInt(r.Generation, 10)}}.Encode()
	return wireObject{
		Kind: "storage#object", ID: fmt.Sprintf("%s/%s/%d", r.Bucket, r.Name, r.Generation), SelfLink: link.String(), MediaLink: media.String(),
		Name: r.Name, Bucket: r.Bucket, Generation: r.Generation, Metageneration: 1, Type: r.Settings.Type, Disposition: r.Settings.Disposition,
		Cache: r.Settings.Cache, Class: "STANDARD", Size: r.Content.Bytes, MD5: r.Content.md5(), CRC32C: r.Content.crc32c(), Etag: r.etag(),
		Metadata: r.Settings.Metadata, Created: stamp(r.Created), Updated: stamp(r.Created), ClassUpdated: stamp(r.Created),
	}
}

func (r objectRecord) etag() string { return fmt.Sprintf("C%xEAE=", r.Generation) }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// answer writes a resource.
func answer(v any) (server.Reply, error) {
	data, err := json.Marshal(v)
	return server.Typed(http.StatusOK, rest.JSON, data), err
}

// hashed is what bytes are that came in one request.
func hashed(data []byte) content {
	sum := md5.Sum(data)
	return content{Bytes: int64(len(data)), CRC: crc32.Checksum(data, castagnoli()), MD5: sum[:]}
}

// insert executes a media or multipart upload.
func (s *Server) insert(tx *tx, rq *request) (server.Reply, error) {
	name, f := rq.named()
	if f != nil {
		return server.Reply{}, f
	}
	r := objectRecord{Bucket: rq.params["bucket"], Name: name, Settings: rq.object.settings, Content: hashed(rq.media)}
	r.Settings.Type = rq.object.kindOf(rq.kind)
	if f := r.Content.check(rq.object.claims, rq.Header); f != nil {
		return server.Reply{}, f
	}
	if f := tx.conditions(r.Bucket, r.Name, rq.Query, "", http.StatusPreconditionFailed); f != nil {
		return server.Reply{}, f
	}
	var err error
	if r.Content.Pieces, err = tx.save(rq.media); err != nil {
		return server.Reply{}, err
	}
	return answer(tx.put(r).wire(rq.Base))
}

// check compares content with the checksums that the caller states, in the metadata and in X-Goog-Hash.
func (c content) check(said claims, header http.Header) *failure {
	wrong := said.CRC32C != "" && said.CRC32C != c.crc32c() || said.MD5 != "" && said.MD5 != c.md5()
	for _, line := range header.Values("X-Goog-Hash") {
		for claim := range strings.SplitSeq(line, ",") {
			kind, value, _ := strings.Cut(strings.TrimSpace(claim), "=")
			wrong = wrong || kind == "crc32c" && value != c.crc32c() || kind == "md5" && value != c.md5()
		}
	}
	if wrong {
		return invalid("The checksum that was provided is not that of the content.")
	}
	return nil
}

// put gives an object its generation and its place.
func (tx *tx) put(r objectRecord) objectRecord {
	tx.change.Generation = max(tx.at.UnixMicro(), tx.change.Generation+1)
	r.Generation, r.Created = tx.change.Generation, tx.at
	tx.change.Objects = append(tx.change.Objects, r)
	return r
}

// live finds the object of a name, and of a generation if one is asked for.
func (tx *tx) live(bucket, name, generation string) (objectRecord, error) {
	r, ok := tx.state.objects[objectKey{bucket, name}]
	if !ok || generation != "" && number(generation) != r.Generation {
		return r, missing("object")
	}
	return r, nil
}

// conditions compares what the caller wants to be there with what is. prefix is "Source" in the parameters for the source of a rewrite;
// a caller who wants something else than there is gets the code other.
func (tx *tx) conditions(bucket, name string, query url.Values, prefix string, other int) *failure {
	r := tx.state.objects[objectKey{bucket, name}]
	for counter, is := range map[string]int64{"Generation": r.Generation, "Metageneration": min(r.Generation, 1)} {
		if v := query.Get("if" + prefix + counter + "Match"); v != "" && number(v) != is {
			return unmet("If-Match")
		}
		switch v := query.Get("if" + prefix + counter + "NotMatch"); {
		case v == "" || number(v) != is:
		case other == http.StatusNotModified:
			return notModified()
		default:
			return unmet("If-None-Match")
		}
	}
	return nil
}

// found is the object of a read, with the preconditions of a read.
func (tx *tx) found(rq *request) (objectRecord, error) {
	bucket, name := rq.params["bucket"], rq.params["object"]
	r, err := tx.live(bucket, name, rq.Query.Get("generation"))
	if err != nil {
		return r, err
	}
	if f := tx.conditions(bucket, name, rq.Query, "", http.StatusNotModified); f != nil {
		return r, f
	}
	if match := rq.Header.Get("If-None-Match"); match != "" && match == r.etag() {
		return r, notModified()
	}
	return r, nil
}

func (s *Server) getObject(tx *tx, rq *request) (server.Reply, error) {
	r, err := tx.found(rq)
	if err != nil {
		return server.Reply{}, err
	}
	return answer(r.wire(rq.Base))
}

func (s *Server) deleteObject(tx *tx, rq *request) (server.Reply, error) {
	bucket, name := rq.params["bucket"], rq.params["object"]
	if _, err := tx.live(bucket, name, rq.Query.Get("generation")); err != nil {
		return server.Reply{}, err
	}
	if f := tx.conditions(bucket, name, rq.Query, "", http.StatusPreconditionFailed); f != nil {
		return server.Reply{}, f
	}
	tx.change.Objects = append(tx.change.Objects, objectRecord{Bucket: bucket, Name: name})
	return server.Reply{Status: http.StatusNoContent}, nil
}

func (s *Server) getBucket(_ *tx, rq *request) (server.Reply, error) {
	name := rq.params["bucket"]
	return answer(map[string]string{
		"kind": "storage#bucket", "id": name, "name": name, "location": "EUROPE-WEST3", "locationType": "region", "storageClass": "STANDARD",
		"metageneration": "1",
	})
}

// testPermissions answers those of the permissions asked for that the caller has: all but the denied ones.
func (s *Server) testPermissions(_ *tx, rq *request) (server.Reply, error) {
	has := slices.DeleteFunc(slices.Clone(rq.Query["permissions"]), func(p string) bool { return slices.Contains(s.opts.Denied, p) })
	if len(rq.Query["permissions"]) == 0 {
		return server.Reply{}, invalid("Required parameter: permissions")
	}
	return answer(map[string]any{"kind": "storage#testIamPermissionsResponse", "permissions": has})
}
