package firestore

import (
	"context"
	"fmt"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Commit implements store.DB.
func (db *DB) Commit(ctx context.Context, writes ...store.Write) ([]store.Version, error) {
	return store.Commit(ctx, writes, db.apply, db.stamped)
}

func (db *DB) apply(ctx context.Context, id string, writes []store.Write) ([]store.Version, error) {
	req, err := db.request(id, writes)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, rpcTimeout)
	defer cancel()
	resp, err := db.client.Commit(ctx, req)
	if err != nil {
		return nil, commitError(err, writes)
	}
	if len(resp.GetWriteResults()) != len(writes) {
		return nil, fault.Wrap(fault.Bug, fmt.Errorf("%d results of %d writes", len(resp.GetWriteResults()), len(writes)), "commit")
	}
	versions := make([]store.Version, len(writes))
	for i, r := range resp.GetWriteResults() {
		if writes[i].Op != store.OpDelete {
			versions[i] = version(r.GetUpdateTime())
		}
	}
	return versions, nil
}

func (db *DB) request(id string, writes []store.Write) (*pb.CommitRequest, error) {
	req := &pb.CommitRequest{Database: db.database}
	for _, w := range writes {
		write, err := db.write(id, w)
		if err != nil {
			return nil, err
		}
		req.Writes = append(req.Writes, write)
	}
	return req, nil
}

func (db *DB) write(id string, w store.Write) (*pb.Write, error) {
	if w.Op == store.OpCreate {
		missing := &pb.Precondition{ConditionType: &pb.Precondition_Exists{Exists: false}}
		return &pb.Write{Operation: &pb.Write_Update{Update: db.encode(w.Doc, id)}, CurrentDocument: missing}, nil
	}
	t, err := updateTime(w.At)
	if err != nil {
		return nil, fault.Unsent(fault.New(fault.Conflict, "%s of %s at a version that never was", w.Op, w.Doc.Key))
	}
	unchanged := &pb.Precondition{ConditionType: &pb.Precondition_UpdateTime{UpdateTime: t}}
	if w.Op == store.OpDelete {
		return &pb.Write{Operation: &pb.Write_Delete{Delete: db.name(w.Doc.Key)}, CurrentDocument: unchanged}, nil
	}
	return &pb.Write{Operation: &pb.Write_Update{Update: db.encode(w.Doc, id)}, CurrentDocument: unchanged}, nil
}

// stamped reads only the ids of the last writes.
func (db *DB) stamped(ctx context.Context, id string, keys []store.Key) (map[store.Key]store.Version, error) {
	mine := make(map[store.Key]store.Version)
	err := db.read(ctx, keys, &pb.DocumentMask{FieldPaths: []string{"w"}}, func(key store.Key, d *pb.Document) error {
		if d.GetFields()["w"].GetStringValue() == id {
			mine[key] = version(d.GetUpdateTime())
		}
		return nil
	})
	return mine, err
}
