package output

import "io"

// A Writer remembers the first error of the writer below it, and writes nothing after it.
type Writer struct {
	w   io.Writer
	Err error
}

// NewWriter returns a Writer that writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

func (f *Writer) Write(b []byte) (int, error) {
	if f.Err != nil {
		return 0, f.Err
	}
	n, err := f.w.Write(b)
	f.Err = err
	return n, err
}
