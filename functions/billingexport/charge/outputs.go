package charge

import (
	"context"
	"encoding/csv"
	"strconv"
	"sync"

	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Rows are given to the files in batches, which all files of all lenses write at the same time.
const (
	batchRows  = 2048
	batchBytes = 4 << 20 // of extra cells
)

// outputs are the files of a part while they are written.
type outputs struct {
	b       blob.Bucket
	folder  string
	o       Options
	files   []*output
	batches [][]focusfile.Charge // a lens each
	bytes   int
	bad     *quarantine
}

// output is one FOCUS file.
type output struct {
	revision.File
	lens int
	to   blob.Writer
	rows *focusfile.Writer
	err  error
}

func newOutputs(b blob.Bucket, folder string, o Options) *outputs {
	return &outputs{b: b, folder: folder, o: o, batches: make([][]focusfile.Charge, len(o.Lenses))}
}

func (o *outputs) open(ctx context.Context) error {
	for i, a := range o.o.Lenses {
		o.batches[i] = make([]focusfile.Charge, 0, batchRows)
		for _, f := range o.o.Formats {
			to, err := o.b.Create(ctx, focusfile.ContentType(f))
			if err != nil {
				return err
			}
			out := &output{lens: i, to: to, File: revision.File{Name: o.folder + revision.FocusFile(a.Lens, f), Lens: a.Lens, Format: f}}
			o.files = append(o.files, out)
			if out.rows, err = focusfile.NewWriter(to, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// abort ends what is not committed.
func (o *outputs) abort() {
	for _, f := range o.files {
		f.to.Abort()
	}
	if o.bad != nil {
		o.bad.to.Abort()
	}
}

// next is where the next charge of a lens goes. There is room for it, as full is asked after each.
func (o *outputs) next(lens int) *focusfile.Charge {
	n := len(o.batches[lens])
	o.batches[lens] = o.batches[lens][:n+1]
	return &o.batches[lens][n]
}

// full writes the batches if they are.
func (o *outputs) full(ctx context.Context) error {
	if len(o.batches) == 0 || len(o.batches[0]) < batchRows && o.bytes < batchBytes {
		return nil
	}
	return o.flush(ctx)
}

func (o *outputs) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Transient, err, "charge a usage file")
	}
	o.each(func(f *output) error { return f.rows.Write(o.batches[f.lens]) })
	for i := range o.batches {
		o.batches[i] = o.batches[i][:0]
	}
	o.bytes = 0
	return o.failure()
}

// each does something with every file, with one as with many but for the goroutines.
func (o *outputs) each(do func(*output) error) {
	if len(o.files) == 1 {
		o.files[0].err = do(o.files[0])
		return
	}
	var all sync.WaitGroup
	for _, f := range o.files {
		all.Go(func() { f.err = do(f) })
	}
	all.Wait()
}

func (o *outputs) failure() error {
	for _, f := range o.files {
		if f.err != nil {
			return f.err
		}
	}
	return nil
}

// commit ends the files and gives them their names. describe fills in what the rows of a lens come to.
func (o *outputs) commit(ctx context.Context, describe func(lens int, f *revision.File)) (files []revision.File, bad *revision.File, err error) {
	if err := o.flush(ctx); err != nil {
		return nil, nil, err
	}
	o.each(func(f *output) error { return f.commit(ctx, o.b) })
	if err := o.failure(); err != nil {
		return nil, nil, err
	}
	for _, f := range o.files {
		describe(f.lens, &f.File)
		files = append(files, f.File)
	}
	if o.bad != nil {
		bad, err = o.bad.commit(ctx, o.b)
	}
	return files, bad, err
}

func (f *output) commit(ctx context.Context, b blob.Bucket) error {
	if err := f.rows.Close(); err != nil {
		return err
	}
	f.Sum, f.Rows = f.to.Sum(), f.rows.Rows()
	_, err := blob.Once(ctx, b, f.to, f.Name)
	return err
}

// quarantine is the file of rows that could not be charged: their line in the usage file, why, and their cells as they were.
type quarantine struct {
	revision.File
	to    blob.Writer
	cells *csv.Writer
	row   []string
}

// quarantine takes in a row. The file is begun with the first.
func (o *outputs) quarantine(ctx context.Context, header []string, u *hub.UsageRow, why reason) error {
	if o.bad == nil {
		to, err := o.b.Create(ctx, "text/csv; charset=utf-8")
		if err != nil {
			return err
		}
		o.bad = &quarantine{to: to, cells: csv.NewWriter(to), File: revision.File{Name: o.folder + revision.QuarantineFile}}
		if err := o.bad.write("x_Line", "x_Reason", header); err != nil {
			return err
		}
	}
	o.bad.Rows++
	return o.bad.write(strconv.Itoa(u.Line), string(why), u.Cells)
}

func (q *quarantine) write(line, why string, cells []string) error {
	q.row = append(append(q.row[:0], line, why), cells...)
	return fault.Wrap(fault.Transient, q.cells.Write(q.row), "write a quarantine file")
}

func (q *quarantine) commit(ctx context.Context, b blob.Bucket) (*revision.File, error) {
	q.cells.Flush()
	if err := q.cells.Error(); err != nil {
		return nil, fault.Wrap(fault.Transient, err, "write a quarantine file")
	}
	q.Sum = q.to.Sum()
	_, err := blob.Once(ctx, b, q.to, q.Name)
	return &q.File, err
}
