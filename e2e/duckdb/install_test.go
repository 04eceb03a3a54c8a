// Package duckdb reads the export's files with somebody else's reader: DuckDB, by its package for Node. Its test charges a usage file of a
// million rows, lets DuckDB add the FOCUS files up with its own decimals, and compares every sum with fractions (big.Rat) of the generator.
//
// DuckDB is installed by npm, the version that package-lock.json names, into a folder beside it that git ignores; later runs find it there.
// Without Node, npm or a network the test is skipped with the reason; with REQUIRE_EMULATORS=1 it fails.
package duckdb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const (
	installing = 3 * time.Minute
	reading    = 5 * time.Minute
)

// installed returns the folder in which Node finds DuckDB.
func installed(t *testing.T) (modules string) {
	t.Helper()
	modules, err := install(t.Context())
	switch {
	case err != nil && os.Getenv("REQUIRE_EMULATORS") == "1":
		t.Fatal(err)
	case err != nil:
		t.Skipf("needs DuckDB for Node: %v", err)
	}
	return modules
}

// install puts the packages of package-lock.json into a folder that is named after its content. It is made beside and renamed, so that it is
// there whole or not at all, and of two tests at once the second finds the first's.
func install(ctx context.Context) (modules string, err error) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", err
		}
	}
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lock)
	folder, err := filepath.Abs(".reader-" + hex.EncodeToString(sum[:6]))
	if err != nil {
		return "", err
	}
	modules = filepath.Join(folder, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules, nil
	}
	made, err := os.MkdirTemp(".", ".reader-new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(made)
	if err := npm(ctx, made); err != nil {
		return "", err
	}
	if err := os.Rename(made, folder); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return modules, nil
}

// npm installs what the lock names, byte for byte, and runs no script of it.
func npm(ctx context.Context, folder string) error {
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, installing)
	defer cancel()
	ci := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
	ci.Dir = folder
	if out, err := ci.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}
