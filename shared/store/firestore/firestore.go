// Package firestore is a store.DB in Firestore.
//
// A collection is Firestore's own of that name, after a prefix; a document has the fields
//
//	data    string   the JSON, so that a person can read it in the console; bytes if it is not UTF-8
//	state   string   absent when empty
//	due     timestamp, absent when zero
//	expire  timestamp, absent when zero; the field of the TTL policy
//	w       string   id of the write that left the document so
//
// A version is the update time. Exempt data and w from indexing; state and due need their single-field indexes in ascending order, which
// Firestore makes by itself. There is no composite index.
//
// A commit is one RPC with preconditions, made once. The client library would repeat it after Unavailable and then report its own success
// as AlreadyExists; here the outcome of a failed commit is read back instead, as store.Commit does it. There are no read-write
// transactions: their locks make contended claims wait for seconds. No RPC is repeated; that is for callers, who know how long they have.
package firestore

import (
	"context"
	"os"
	"regexp"
	"time"

	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	apiv1 "cloud.google.com/go/firestore/apiv1"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// rpcTimeout bounds one RPC, so that a commit whose answer does not come leaves time to read it back.
const rpcTimeout = 15 * time.Second

// Options says where the documents are.
type Options struct {
	Project  string
	Database string // default "(default)"
	Prefix   string // goes before the names of collections; may be empty

	Emulator    string            // host:port; default $FIRESTORE_EMULATOR_HOST, and without it the real service
	DialOptions []grpc.DialOption // for tests: interceptors
}

// DB is a store in Firestore.
type DB struct {
	client   *apiv1.Client
	database string // projects/P/databases/D
	prefix   string
}

var (
	projects  = regexp.MustCompile(`^([a-z][a-z0-9.-]{0,62}:)?[a-z][a-z0-9-]{1,62}$`) // before the colon a domain
	databases = regexp.MustCompile(`^(\(default\)|[a-z][a-z0-9-]{2,62})$`)
	prefixes  = regexp.MustCompile(`^([a-zA-Z0-9-][a-zA-Z0-9_-]{0,63})?$`)
)

// Open returns the store that the options describe. It does not wait for a connection.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Database == "" {
		o.Database = "(default)"
	}
	if o.Emulator == "" {
		o.Emulator = os.Getenv("FIRESTORE_EMULATOR_HOST")
	}
	if !projects.MatchString(o.Project) || !databases.MatchString(o.Database) || !prefixes.MatchString(o.Prefix) {
		return nil, fault.New(fault.Invalid, "no Firestore project %q, database %q or prefix %q", o.Project, o.Database, o.Prefix)
	}
	client, err := dial(ctx, o)
	if err != nil {
		return nil, fault.Wrap(fault.Denied, err, "open Firestore")
	}
	client.CallOptions = &apiv1.CallOptions{} // no retries
	return &DB{client: client, database: "projects/" + o.Project + "/databases/" + o.Database, prefix: o.Prefix}, nil
}

func dial(ctx context.Context, o Options) (*apiv1.Client, error) {
	if o.Emulator == "" {
		opts := make([]option.ClientOption, len(o.DialOptions))
		for i, d := range o.DialOptions {
			opts[i] = option.WithGRPCDialOption(d)
		}
		return apiv1.NewClient(ctx, opts...)
	}
	opts := append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(owner{}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64 << 20)),
	}, o.DialOptions...)
	conn, err := grpc.NewClient("passthrough:///"+o.Emulator, opts...)
	if err != nil {
		return nil, err
	}
	return apiv1.NewClient(ctx, option.WithGRPCConn(conn))
}

// owner is the credential with which an emulator lets everything pass.
type owner struct{}

func (owner) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer owner"}, nil
}

func (owner) RequireTransportSecurity() bool { return false }

// Close ends the connection.
func (db *DB) Close() error { return fault.Wrap(fault.Transient, db.client.Close(), "close Firestore") }
