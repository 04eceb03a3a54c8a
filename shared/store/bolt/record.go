package bolt

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// record is a document as it lies in the file: the length of a header in two bytes, the header as JSON, and the data as it came.
type record struct {
	header
	data []byte
}

type header struct {
	Number  uint64    `json:"n"` // of the commit
	Write   string    `json:"w"` // id of the commit
	Updated time.Time `json:"u"`
	State   string    `json:"s,omitempty"`
	Due     time.Time `json:"d,omitzero"`
	Expire  time.Time `json:"e,omitzero"`
}

func newRecord(d store.Doc, id string, number uint64, now time.Time) record {
	return record{header{number, id, now, d.State, store.Time(d.Due), store.Time(d.Expire)}, d.Data}
}

func (r record) version() store.Version { return store.Version(strconv.FormatUint(r.Number, 10)) }

func (r record) doc(key store.Key) store.Doc {
	return store.Doc{Key: key, Data: r.data, State: r.State, Due: r.Due, Expire: r.Expire, Version: r.version(), Updated: r.Updated}
}

func (r record) encode() ([]byte, error) {
	h, err := json.Marshal(r.header)
	if err != nil {
		return nil, fault.Wrap(fault.Bug, err, "encode document")
	}
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(h)+len(r.data)), uint16(len(h)))
	return append(append(b, h...), r.data...), nil
}

// decode copies what it keeps: b belongs to a transaction.
func decode(b []byte) (r record, err error) {
	if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
		return r, fault.Wrap(fault.Bug, fmt.Errorf("%d bytes are no document", len(b)), "decode document")
	}
	end := 2 + int(binary.BigEndian.Uint16(b))
	if err := json.Unmarshal(b[2:end], &r.header); err != nil {
		return r, fault.Wrap(fault.Bug, err, "decode document")
	}
	r.data = bytes.Clone(b[end:])
	return r, nil
}
