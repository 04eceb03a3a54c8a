package storage

import (
	"encoding/base64"
	"errors"
	"hash/crc32"
	"maps"
	"slices"
	"time"
)

// journalFile and blobFolder are where the state is kept, in the folder of the options.
const (
	journalFile = "storage.jsonl"
	blobFolder  = "storage.blobs"
)

// piece is a run of bytes that came in one request. Objects share pieces: a rewrite copies none.
type piece struct {
	ID    string `json:"id"`
	Bytes int64  `json:"bytes"`
}

// settings are what a caller says of an object beside its content.
type settings struct {
	Type        string            `json:"type,omitempty"`
	Disposition string            `json:"disposition,omitempty"`
	Cache       string            `json:"cache,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

// content is what bytes are.
type content struct {
	Pieces []piece `json:"pieces,omitempty"`
	Bytes  int64   `json:"bytes"`
	CRC    uint32  `json:"crc"`
	MD5    []byte  `json:"md5"`
}

func (c content) crc32c() string {
	return base64.StdEncoding.EncodeToString([]byte{byte(c.CRC >> 24), byte(c.CRC >> 16), byte(c.CRC >> 8), byte(c.CRC)})
}

func (c content) md5() string { return base64.StdEncoding.EncodeToString(c.MD5) }

// castagnoli is the table of CRC32C.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// objectRecord is the live generation of a name; one that was deleted has none.
type objectRecord struct {
	Bucket     string    `json:"bucket"`
	Name       string    `json:"name"`
	Generation int64     `json:"generation,omitempty"`
	Created    time.Time `json:"created,omitzero"`
	Settings   settings  `json:"settings,omitzero"`
	Content    content   `json:"content,omitzero"`
}

// uploadRecord is a session. One that is done stays for whoever lost the answer.
type uploadRecord struct {
	ID       string            `json:"id"`
	Bucket   string            `json:"bucket"`
	Name     string            `json:"name"`
	Settings settings          `json:"settings,omitzero"`
	Claims   claims            `json:"claims,omitzero"`
	Unless   map[string]string `json:"unless,omitempty"` // preconditions, as they stood in the query
	Content  content           `json:"content,omitzero"`
	Hash     []byte            `json:"hash,omitempty"` // state of the MD5
	Begun    time.Time         `json:"begun"`
	Done     *objectRecord     `json:"done,omitempty"`
	Gone     bool              `json:"gone,omitempty"`
}

// change is what one request does to the state: records to insert or replace, all together or not at all. It is also a line of the journal.
type change struct {
	Serial     uint64         `json:"serial,omitempty"`     // the last number that an id was made of
	Generation int64          `json:"generation,omitempty"` // the last one given
	Objects    []objectRecord `json:"objects,omitempty"`
	Uploads    []uploadRecord `json:"uploads,omitempty"`
}

type objectKey struct{ bucket, name string }

type state struct {
	serial     uint64
	generation int64
	objects    map[objectKey]objectRecord
	uploads    map[string]uploadRecord
}

func newState() *state {
	return &state{objects: map[objectKey]objectRecord{}, uploads: map[string]uploadRecord{}}
}

// Replay does a change of the journal again. It refuses one that the state cannot be at: somebody edited the journal.
func (s *state) Replay(c change) error {
	if c.Serial < s.serial || c.Generation < s.generation {
		return errors.New("a change out of its order")
	}
	s.apply(c)
	return nil
}

func (s *state) apply(c change) {
	s.serial, s.generation = max(s.serial, c.Serial), max(s.generation, c.Generation)
	for _, r := range c.Objects {
		if s.objects[objectKey{r.Bucket, r.Name}] = r; r.Generation == 0 {
			delete(s.objects, objectKey{r.Bucket, r.Name})
		}
	}
	for _, r := range c.Uploads {
		if s.uploads[r.ID] = r; r.Gone {
			delete(s.uploads, r.ID)
		}
	}
}

// Changes returns what rebuilds the state, in lines that do not grow with it.
func (s *state) Changes() []change {
	var all []change
	for _, r := range s.objects {
		all = append(all, change{Serial: s.serial, Generation: s.generation, Objects: []objectRecord{r}})
	}
	for _, r := range s.uploads {
		all = append(all, change{Serial: s.serial, Generation: s.generation, Uploads: []uploadRecord{r}})
	}
	return append(all, change{Serial: s.serial, Generation: s.generation})
}

// pieces are the ids of all bytes that something still needs.
func (s *state) pieces() map[string]bool {
	known := map[string]bool{}
	for _, r := range s.objects {
		note(known, r.Content)
	}
	for _, r := range s.uploads {
		note(known, r.Content)
	}
	return known
}

func note(known map[string]bool, c content) {
	for _, p := range c.Pieces {
		known[p.ID] = true
	}
}

// names are the names of a bucket's objects, in the order of their bytes.
func (s *state) names(bucket string) []string {
	var names []string
	for k := range maps.Keys(s.objects) {
		if k.bucket == bucket {
			names = append(names, k.name)
		}
	}
	slices.Sort(names)
	return names
}
