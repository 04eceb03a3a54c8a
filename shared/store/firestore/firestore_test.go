package firestore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/providerdesk/providerdesk/shared/emulator"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const commitMethod = "/google.firestore.v1.Firestore/Commit"

// wire is interceptors that inject faults and count commits.
type wire struct {
	storetest.Injector
	commits atomic.Int32
}

func (w *wire) dialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithUnaryInterceptor(w.unary), grpc.WithStreamInterceptor(w.stream)}
}

func (w *wire) unary(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if method != commitMethod {
		return invoke(ctx, method, req, reply, conn, opts...)
	}
	w.commits.Add(1)
	if code := w.Commit(false); code != "" {
		return rpcError(code)
	}
	if err := invoke(ctx, method, req, reply, conn, opts...); err != nil {
		return err
	}
	if code := w.Commit(true); code != "" {
		return rpcError(code)
	}
	return nil
}

func (w *wire) stream(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if code := w.Read(); code != "" {
		return nil, rpcError(code)
	}
	return open(ctx, desc, conn, method, opts...)
}

func rpcError(c storetest.Code) error {
	byName := map[storetest.Code]codes.Code{
		storetest.Unavailable: codes.Unavailable, storetest.DeadlineExceeded: codes.DeadlineExceeded, storetest.Aborted: codes.Aborted,
	}
	return status.Error(byName[c], "injected")
}

// project returns a project id of the test's own: the emulator has room for any number.
func project() string { return fmt.Sprintf("test-%d", time.Now().UnixNano()) }

func open(t *testing.T, o Options) *DB {
	t.Helper()
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestContract(t *testing.T) {
	host := emulator.Firestore(t)
	storetest.Test(t, func(t *testing.T) storetest.Subject {
		w := &wire{}
		db := open(t, Options{Project: project(), Prefix: "test-", Emulator: host, DialOptions: w.dialOptions()})
		return storetest.Subject{DB: db, Inject: w.Inject}
	})
}

func doc(id string) store.Doc {
	return store.Doc{Key: store.Key{Collection: "things", ID: id}, Data: []byte(`{"a":1}`)}
}

func TestOneCommitIsOneRPC(t *testing.T) {
	w := &wire{}
	db := open(t, Options{Project: project(), Emulator: emulator.Firestore(t), DialOptions: w.dialOptions()})
	for i, f := range []*storetest.Fault{
		nil, {Code: storetest.Unavailable}, {Code: storetest.Unavailable, Applied: true}, {Code: storetest.Aborted},
	} {
		if f != nil {
			w.Inject(*f)
		}
		w.commits.Store(0)
		db.Commit(t.Context(), store.Create(doc(fmt.Sprint(i))), store.Create(doc(fmt.Sprint(i, "too"))))
		if n := w.commits.Load(); n != 1 {
			t.Errorf("%+v: %d RPCs", f, n)
		}
	}
}

func TestPrefixKeepsStoresApart(t *testing.T) {
	host, p := emulator.Firestore(t), project()
	a := open(t, Options{Project: p, Prefix: "a-", Emulator: host})
	b := open(t, Options{Project: p, Prefix: "b-", Emulator: host})
	if _, err := a.Commit(t.Context(), store.Create(doc("x"))); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(t.Context(), doc("x").Key); !fault.Is(err, fault.Missing) {
		t.Errorf("b gets a's document: %v", err)
	}
	if docs, err := b.Query(t.Context(), store.Query{Collection: "things", Limit: 1}); err != nil || len(docs) != 0 {
		t.Errorf("b finds %v, %v", docs, err)
	}
}

// TestFields shows what a person sees in the console, and what the TTL policy and the indexes go by.
func TestFields(t *testing.T) {
	db := open(t, Options{Project: project(), Prefix: "p-", Emulator: emulator.Firestore(t)})
	full := doc("full")
	full.State, full.Due, full.Expire = "open", time.Unix(1, 0), time.Unix(2, 0)
	binary := store.Doc{Key: doc("binary").Key, Data: []byte{0xff}}
	if _, err := db.Commit(t.Context(), store.Create(full), store.Create(binary)); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"full":   `data=string:{"a":1} due=timestamp:1 expire=timestamp:2 state=string:open w=string`,
		"binary": `data=bytes:ff w=string`,
	} {
		d, err := db.client.GetDocument(t.Context(), &pb.GetDocumentRequest{Name: db.database + "/documents/p-things/" + id})
		if err != nil {
			t.Fatal(err)
		}
		if got := fields(d); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
}

func fields(d *pb.Document) string {
	var all []string
	for _, name := range []string{"data", "due", "expire", "state", "w"} {
		switch v := d.Fields[name].GetValueType().(type) {
		case *pb.Value_StringValue:
			if name == "w" {
				v.StringValue = ""
			}
			all = append(all, strings.TrimSuffix(name+"=string:"+v.StringValue, ":"))
		case *pb.Value_BytesValue:
			all = append(all, fmt.Sprintf("%s=bytes:%x", name, v.BytesValue))
		case *pb.Value_TimestampValue:
			all = append(all, fmt.Sprintf("%s=timestamp:%d", name, v.TimestampValue.Seconds))
		}
	}
	if len(all) != len(d.Fields) {
		all = append(all, fmt.Sprint("others: ", d.Fields))
	}
	return strings.Join(all, " ")
}

func TestForeignDocumentIsABug(t *testing.T) {
	db := open(t, Options{Project: project(), Emulator: emulator.Firestore(t)})
	for i, fields := range []map[string]*pb.Value{
		{"data": {ValueType: &pb.Value_IntegerValue{IntegerValue: 1}}},
		{"data": text("{}"), "state": {ValueType: &pb.Value_BytesValue{BytesValue: []byte("open")}}},
		{"data": text("{}"), "due": text("tomorrow")},
		{"data": text("{}"), "expires": {ValueType: timestamp(time.Unix(1, 0)).ValueType}},
		{"data": text("{}"), "other": text("")},
	} {
		d := doc(fmt.Sprint(i))
		req := &pb.CommitRequest{Database: db.database, Writes: []*pb.Write{
			{Operation: &pb.Write_Update{Update: &pb.Document{Name: db.name(d.Key), Fields: fields}}},
		}}
		if _, err := db.client.Commit(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Get(t.Context(), d.Key); !fault.Is(err, fault.Bug) {
			t.Errorf("%d: error is of kind %q: %v", i, fault.Of(err), err)
		}
		if _, err := db.Query(t.Context(), store.Query{Collection: "things", Limit: 9}); !fault.Is(err, fault.Bug) {
			t.Errorf("%d: query gives an error of kind %q: %v", i, fault.Of(err), err)
		}
	}
}

func TestOpenChecksItsOptions(t *testing.T) {
	for _, o := range []Options{
		{}, {Project: "p/q"}, {Project: "Prod"}, {Project: "acme", Database: "a/b"}, {Project: "acme", Prefix: "a/b"},
		{Project: "acme", Prefix: "_x"}, {Project: "acme", Prefix: strings.Repeat("x", 65)},
	} {
		o.Emulator = "127.0.0.1:1"
		if _, err := Open(t.Context(), o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: error is of kind %q: %v", o, fault.Of(err), err)
		}
	}
	open(t, Options{Project: "example.com:acme-prod", Database: "desk", Prefix: "a-B_1", Emulator: "127.0.0.1:1"})
}

func TestEmulatorFromTheEnvironment(t *testing.T) {
	t.Setenv("FIRESTORE_EMULATOR_HOST", emulator.Firestore(t))
	db := open(t, Options{Project: project()})
	if _, err := db.Commit(t.Context(), store.Create(doc("a"))); err != nil {
		t.Error(err)
	}
}

// TestServerAway shows that an absent server is transient for everything, and that nothing waits for it longer than the looks take.
func TestServerAway(t *testing.T) {
	db := open(t, Options{Project: "acme", Emulator: "127.0.0.1:1"})
	_, getErr := db.Get(t.Context(), doc("a").Key)
	_, queryErr := db.Query(t.Context(), store.Query{Collection: "things", Limit: 1})
	_, commitErr := db.Commit(t.Context(), store.Create(doc("a")))
	for _, err := range []error{getErr, queryErr, commitErr} {
		if !fault.Is(err, fault.Transient) {
			t.Errorf("error is of kind %q: %v", fault.Of(err), err)
		}
	}
}

// every code of gRPC, and what it is to a commit that keeps a document, to one that only deletes, and to a read.
var everyCode = map[codes.Code]struct{ commit, deletes, read string }{
	codes.Canceled:           {"transient", "transient", "transient"},
	codes.Unknown:            {"transient", "transient", "transient"},
	codes.InvalidArgument:    {"invalid", "invalid", "invalid"},
	codes.DeadlineExceeded:   {"transient", "transient", "transient"},
	codes.NotFound:           {"conflict", "conflict, certain", "denied"},
	codes.AlreadyExists:      {"conflict", "conflict, certain", "bug"},
	codes.PermissionDenied:   {"denied, certain", "denied, certain", "denied"},
	codes.ResourceExhausted:  {"throttled, certain", "throttled, certain", "throttled, certain"},
	codes.FailedPrecondition: {"conflict", "conflict, certain", "denied"},
	codes.Aborted:            {"conflict", "conflict", "transient"},
	codes.OutOfRange:         {"invalid", "invalid", "invalid"},
	codes.Unimplemented:      {"bug", "bug", "bug"},
	codes.Internal:           {"transient", "transient", "transient"},
	codes.Unavailable:        {"transient", "transient", "transient"},
	codes.DataLoss:           {"bug", "bug", "bug"},
	codes.Unauthenticated:    {"denied, certain", "denied, certain", "denied"},
	codes.Code(99):           {"bug", "bug", "bug"},
}

func TestEveryCode(t *testing.T) {
	keeps, deletes := []store.Write{store.Delete(doc("a").Key, "1"), store.Create(doc("b"))}, []store.Write{store.Delete(doc("a").Key, "1")}
	for c := codes.OK + 1; c <= codes.Unauthenticated; c++ {
		if _, ok := everyCode[c]; !ok {
			t.Errorf("%v is not in the table", c)
		}
	}
	for c, want := range everyCode {
		err := status.Error(c, "said the server")
		if got := describe(commitError(err, keeps)); got != want.commit {
			t.Errorf("%v of a commit is %s, want %s", c, got, want.commit)
		}
		if got := describe(commitError(err, deletes)); got != want.deletes {
			t.Errorf("%v of deletes is %s, want %s", c, got, want.deletes)
		}
		if got := describe(readError(err, "get")); got != want.read {
			t.Errorf("%v of a read is %s, want %s", c, got, want.read)
		}
	}
	for _, err := range []error{context.Canceled, context.DeadlineExceeded, errors.New("not from gRPC")} {
		if got := describe(commitError(err, keeps)); got != "transient" {
			t.Errorf("%v of a commit is %s", err, got)
		}
	}
}

func describe(err error) string {
	if fault.IsUnsent(err) {
		return string(fault.Of(err)) + ", certain"
	}
	return string(fault.Of(err))
}
