package site

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/bolt"
	"github.com/providerdesk/providerdesk/shared/store/firestore"
)

// localProject is the project where no other is named.
const localProject = "local"

// Project is the project that an installation is in.
func Project(env Env) string {
	p, _ := env("GOOGLE_CLOUD_PROJECT")
	return cmp.Or(p, localProject)
}

// holdWait is how long a start waits for the process before it to let go.
const holdWait = 2 * time.Second

// openStore takes hold of the folder, whichever store is used.
func (s *Site) openStore(ctx context.Context) error {
	db, err := s.o.Folder.hold(holdWait)
	if err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return db.Close() })
	s.db, s.forget = db, forgetting(db, s.o)
	emulator, _ := s.o.Env("FIRESTORE_EMULATOR_HOST")
	if emulator == "" {
		return nil
	}
	remote, err := firestore.Open(ctx, firestore.Options{Project: Project(s.o.Env), Emulator: emulator})
	if err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return remote.Close() })
	s.db = remote
	return nil
}

// forgetting deletes documents that have expired, as the time-to-live policy of Firestore does there.
func forgetting(db *bolt.DB, o Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := db.Sweep(r.Context(), o.Now())
		if err != nil {
			o.Log.WarnContext(r.Context(), "documents that have expired are still there", "error", err)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		o.Log.DebugContext(r.Context(), "forgot what has expired", "documents", n)
	})
}

// Stored is the store of an installation that does not run, and what closes it.
type Stored struct {
	store.DB
	Close func() error
}

// Cloud reports whether the environment names a Firestore, the emulator's or the real one.
func Cloud(env Env) bool {
	emulator, _ := env("FIRESTORE_EMULATOR_HOST")
	named, _ := env("GOOGLE_CLOUD_PROJECT")
	return emulator != "" || named != ""
}

// OpenCloud opens the Firestore that the environment names.
func OpenCloud(ctx context.Context, env Env) (Stored, error) {
	emulator, _ := env("FIRESTORE_EMULATOR_HOST")
	database, _ := env("FIRESTORE_DATABASE")
	db, err := firestore.Open(ctx, firestore.Options{Project: Project(env), Database: database, Emulator: emulator})
	if err != nil {
		return Stored{}, err
	}
	return Stored{db, db.Close}, nil
}

// OpenStore opens the store of a folder that no process holds, and makes it if need be.
func (f Folder) OpenStore() (Stored, error) {
	db, err := f.hold(10 * time.Millisecond)
	if err != nil {
		return Stored{}, err
	}
	return Stored{db, db.Close}, nil
}
