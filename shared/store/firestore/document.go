package firestore

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

func (db *DB) name(k store.Key) string {
	return db.database + "/documents/" + db.prefix + k.Collection + "/" + k.ID
}

func id(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func (db *DB) encode(d store.Doc, write string) *pb.Document {
	fields := map[string]*pb.Value{"data": data(d.Data), "w": text(write)}
	if d.State != "" {
		fields["state"] = text(d.State)
	}
	if !d.Due.IsZero() {
		fields["due"] = timestamp(d.Due)
	}
	if !d.Expire.IsZero() {
		fields["expire"] = timestamp(d.Expire)
	}
	return &pb.Document{Name: db.name(d.Key), Fields: fields}
}

// decode reads a document. One that somebody else has put there is our defect to find, not a reason to guess.
func decode(key store.Key, d *pb.Document) (store.Doc, error) {
	doc := store.Doc{Key: key, Version: version(d.GetUpdateTime()), Updated: store.Time(d.GetUpdateTime().AsTime())}
	for name, v := range d.GetFields() {
		if !set(&doc, name, v) {
			return store.Doc{}, fault.Wrap(fault.Bug, fmt.Errorf("field %.40q of %s is not ours", name, key), "decode document")
		}
	}
	return doc, nil
}

// set fills the field of a document and reports whether it has that type.
func set(doc *store.Doc, name string, v *pb.Value) bool {
	switch v := v.GetValueType().(type) {
	case *pb.Value_StringValue:
		return setText(doc, name, v.StringValue)
	case *pb.Value_BytesValue:
		doc.Data = v.BytesValue
		return name == "data"
	case *pb.Value_TimestampValue:
		return setTime(doc, name, v.TimestampValue.AsTime())
	}
	return false
}

func setText(doc *store.Doc, name, v string) bool {
	switch name {
	case "data":
		doc.Data = []byte(v)
	case "state":
		doc.State = v
	default:
		return name == "w"
	}
	return true
}

func setTime(doc *store.Doc, name string, v time.Time) bool {
	switch name {
	case "due":
		doc.Due = v
	case "expire":
		doc.Expire = v
	default:
		return false
	}
	return true
}

func data(b []byte) *pb.Value {
	if utf8.Valid(b) {
		return text(string(b))
	}
	return &pb.Value{ValueType: &pb.Value_BytesValue{BytesValue: b}}
}

func text(s string) *pb.Value { return &pb.Value{ValueType: &pb.Value_StringValue{StringValue: s}} }

func timestamp(t time.Time) *pb.Value {
	return &pb.Value{ValueType: &pb.Value_TimestampValue{TimestampValue: timestamppb.New(store.Time(t))}}
}

func version(t *timestamppb.Timestamp) store.Version {
	return store.Version(t.AsTime().Format(time.RFC3339Nano))
}

// updateTime is the reverse of version.
func updateTime(v store.Version) (*timestamppb.Timestamp, error) {
	t, err := time.Parse(time.RFC3339Nano, string(v))
	if err != nil {
		return nil, err
	}
	ts := timestamppb.New(t)
	return ts, ts.CheckValid()
}
