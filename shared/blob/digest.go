package blob

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"io"
)

// Digest computes the Sum of what is written to it.
type Digest struct {
	sha   hash.Hash
	crc   hash.Hash32
	bytes int64
}

// NewDigest returns the digest of nothing.
func NewDigest() *Digest { return &Digest{sha: sha256.New(), crc: newCRC()} }

func newCRC() hash.Hash32 { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }

// Write takes all of p and never fails.
func (d *Digest) Write(p []byte) (int, error) {
	d.sha.Write(p)
	d.crc.Write(p)
	d.bytes += int64(len(p))
	return len(p), nil
}

// Sum is what was written so far.
func (d *Digest) Sum() Sum {
	return Sum{SHA256: hex.EncodeToString(d.sha.Sum(nil)), CRC32C: encode(d.crc), Bytes: d.bytes}
}

// SumOf is the Sum of data.
func SumOf(data []byte) Sum {
	d := NewDigest()
	d.Write(data)
	return d.Sum()
}

func encode(crc hash.Hash32) string { return base64.StdEncoding.EncodeToString(crc.Sum(nil)) }

// ErrCorrupt is what a reader ends with when the bytes are not those that were written.
var ErrCorrupt = errors.New("the bytes are not those of the checksum")

// Verified reads r, which has the content of o, and ends with ErrCorrupt instead of io.EOF if it has not.
func Verified(r io.Reader, o Object) io.Reader { return &verified{r: r, want: o, crc: newCRC()} }

type verified struct {
	r     io.Reader
	want  Object
	crc   hash.Hash32
	bytes int64
	err   error // it ended
}

func (v *verified) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.r.Read(p)
	v.crc.Write(p[:n])
	v.bytes += int64(n)
	if errors.Is(err, io.EOF) && !v.intact() || v.bytes > v.want.Bytes {
		err = ErrCorrupt
	}
	v.err = err
	return n, err
}

func (v *verified) intact() bool { return v.bytes == v.want.Bytes && encode(v.crc) == v.want.CRC32C }
