package charge

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// A bill is a JSON object with a line of the bill on each line of text:
//
//	{"v":1,"month":"2026-10","org":"o","lines":[
//	{...},
//	{...}
//	]}

// billHead is the first line, but for its last brace.
type billHead struct {
	V     int    `json:"v"`
	Month string `json:"month"`
	Org   string `json:"org"`
}

const billVersion = 1

// writeBill writes the bill of a part.
func writeBill(ctx context.Context, b blob.Bucket, folder string, o Options, lines []bill.Line) (revision.File, error) {
	f := revision.File{Name: folder + revision.BillFile, Rows: int64(len(lines))}
	to, err := b.Create(ctx, revision.ContentType)
	if err != nil {
		return f, err
	}
	defer to.Abort()
	if err := encodeBill(to, billHead{billVersion, o.Month.String(), o.Org}, lines); err != nil {
		return f, err
	}
	f.Sum = to.Sum()
	_, err = blob.Once(ctx, b, to, f.Name)
	return f, err
}

func encodeBill(w io.Writer, head billHead, lines []bill.Line) error {
	const doing = "write a bill"
	start, err := json.Marshal(head)
	if err != nil {
		return fault.Wrap(fault.Bug, err, doing)
	}
	out := bufio.NewWriter(w)
	out.Write(bytes.TrimSuffix(start, []byte("}")))
	out.WriteString(`,"lines":[`)
	before := "\n"
	for i := range lines {
		text, err := json.Marshal(lines[i])
		if err != nil {
			return fault.Wrap(fault.Bug, err, doing)
		}
		out.WriteString(before)
		out.Write(text)
		before = ",\n"
	}
	out.WriteString("\n]}\n")
	return fault.Wrap(fault.Transient, out.Flush(), doing)
}

// ReadBill reads the bill of a part, and checks that it is the one that the part names.
func ReadBill(ctx context.Context, b blob.Bucket, f revision.File) ([]bill.Line, error) {
	in, err := b.Open(ctx, f.Name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	digest := blob.NewDigest()
	whole := io.TeeReader(io.LimitReader(in, f.Bytes+1), digest)
	lines, wrong := decodeBill(whole, f.Rows)
	if _, err := io.Copy(io.Discard, whole); err != nil {
		return nil, err
	}
	if digest.Sum() != f.Sum {
		return nil, fault.New(fault.Invalid, "a bill is not the one that its part names")
	}
	return lines, wrong
}

// decodeBill reads a bill of so many lines.
func decodeBill(r io.Reader, rows int64) ([]bill.Line, error) {
	const doing = "read a bill"
	in := bufio.NewReader(r)
	start, err := in.ReadBytes('\n')
	var head billHead
	if err == nil {
		err = strictly(append(bytes.TrimSuffix(start, []byte(",\"lines\":[\n")), '}'), &head)
	}
	if err != nil || head.V != billVersion || rows < 0 || rows > MaxLines {
		return nil, fault.New(fault.Invalid, "a bill does not begin as one")
	}
	lines := make([]bill.Line, rows)
	for i := range lines {
		text, err := in.ReadBytes('\n')
		if err == nil {
			err = strictly(bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte(",")), &lines[i])
		}
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, doing)
		}
	}
	if rest, err := io.ReadAll(io.LimitReader(in, 16)); err != nil || string(rest) != "]}\n" {
		return nil, fault.New(fault.Invalid, "a bill has more lines than its part says, or does not end as one")
	}
	return lines, nil
}

func strictly(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
