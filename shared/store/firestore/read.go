package firestore

import (
	"context"
	"errors"
	"fmt"
	"io"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Get implements store.DB.
func (db *DB) Get(ctx context.Context, key store.Key) (doc store.Doc, err error) {
	if err := store.CheckKey(key); err != nil {
		return store.Doc{}, err
	}
	found := false
	err = db.read(ctx, []store.Key{key}, nil, func(key store.Key, d *pb.Document) (err error) {
		found = true
		doc, err = decode(key, d)
		return err
	})
	if err == nil && !found {
		err = store.Missing(key)
	}
	return doc, err
}

// read calls f for every document of the keys that is there. It asks for a batch even of one: its answer tells a document that is missing
// from a database that is.
func (db *DB) read(ctx context.Context, keys []store.Key, mask *pb.DocumentMask, f func(store.Key, *pb.Document) error) error {
	ctx, cancel := context.WithTimeout(ctx, rpcTimeout)
	defer cancel()
	byName := make(map[string]store.Key, len(keys))
	req := &pb.BatchGetDocumentsRequest{Database: db.database, Mask: mask}
	for _, k := range keys {
		name := db.name(k)
		byName[name] = k
		req.Documents = append(req.Documents, name)
	}
	stream, err := db.client.BatchGetDocuments(ctx, req)
	if err != nil {
		return readError(err, "get")
	}
	answers := 0
	err = each(stream.Recv, "get", func(r *pb.BatchGetDocumentsResponse) error {
		if r.GetResult() != nil {
			answers++
		}
		if r.GetFound() == nil {
			return nil
		}
		return f(byName[r.GetFound().GetName()], r.GetFound())
	})
	if err == nil && answers != len(keys) {
		err = fault.Wrap(fault.Transient, fmt.Errorf("%d answers for %d documents", answers, len(keys)), "get")
	}
	return err
}

// Query implements store.DB.
func (db *DB) Query(ctx context.Context, q store.Query) (docs []store.Doc, err error) {
	if err := store.CheckQuery(q); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, rpcTimeout)
	defer cancel()
	stream, err := db.client.RunQuery(ctx, &pb.RunQueryRequest{
		Parent:    db.database + "/documents",
		QueryType: &pb.RunQueryRequest_StructuredQuery{StructuredQuery: db.query(q)},
	})
	if err != nil {
		return nil, readError(err, "query")
	}
	err = each(stream.Recv, "query", func(r *pb.RunQueryResponse) error {
		if r.GetDocument() == nil {
			return nil // progress
		}
		key := store.Key{Collection: q.Collection, ID: id(r.GetDocument().GetName())}
		doc, err := decode(key, r.GetDocument())
		docs = append(docs, doc)
		return err
	})
	if err != nil {
		return nil, err
	}
	return docs, nil
}

func (db *DB) query(q store.Query) *pb.StructuredQuery {
	sq := &pb.StructuredQuery{
		From:  []*pb.StructuredQuery_CollectionSelector{{CollectionId: db.prefix + q.Collection}},
		Limit: wrapperspb.Int32(int32(q.Limit)),
	}
	switch {
	case q.State != "":
		sq.Where = where("state", pb.StructuredQuery_FieldFilter_EQUAL, text(q.State))
	case !q.DueBy.IsZero():
		sq.Where = where("due", pb.StructuredQuery_FieldFilter_LESS_THAN_OR_EQUAL, timestamp(q.DueBy))
		sq.OrderBy = append(sq.OrderBy, ascending("due"))
	}
	sq.OrderBy = append(sq.OrderBy, ascending("__name__"))
	if q.AfterID != "" {
		after := db.name(store.Key{Collection: q.Collection, ID: q.AfterID})
		sq.StartAt = &pb.Cursor{Values: []*pb.Value{{ValueType: &pb.Value_ReferenceValue{ReferenceValue: after}}}}
	}
	return sq
}

func where(name string, op pb.StructuredQuery_FieldFilter_Operator, v *pb.Value) *pb.StructuredQuery_Filter {
	filter := &pb.StructuredQuery_FieldFilter{Field: field(name), Op: op, Value: v}
	return &pb.StructuredQuery_Filter{FilterType: &pb.StructuredQuery_Filter_FieldFilter{FieldFilter: filter}}
}

func ascending(name string) *pb.StructuredQuery_Order {
	return &pb.StructuredQuery_Order{Field: field(name), Direction: pb.StructuredQuery_ASCENDING}
}

func field(name string) *pb.StructuredQuery_FieldReference {
	return &pb.StructuredQuery_FieldReference{FieldPath: name}
}

// each calls f for every message of a stream.
func each[M any](recv func() (*M, error), doing string, f func(*M) error) error {
	for {
		m, err := recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return readError(err, doing)
		}
		if err := f(m); err != nil {
			return err
		}
	}
}
