package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/stepsies/stepsies"
)

// stepRecord is a step as it stands in the JSON of its stepsy's row.
type stepRecord struct {
	ID      int64  `json:"id"`
	Title   string `json:"title"`
	Content string `json:"content"`
}

func encodeSteps(steps []stepsies.Step) (string, error) {
	records := make([]stepRecord, len(steps))
	for i, s := range steps {
		records[i] = stepRecord{ID: s.ID, Title: s.Title, Content: s.Content.HTML()}
	}
	b, err := json.Marshal(records)
	return string(b), wrap(err, "encode steps")
}

func decodeSteps(text []byte) ([]stepsies.Step, error) {
	var records []stepRecord
	if err := json.Unmarshal(text, &records); err != nil {
		return nil, fmt.Errorf("decode steps: %w", err)
	}
	steps := make([]stepsies.Step, len(records))
	for i, r := range records {
		steps[i] = stepsies.Step{ID: r.ID, Title: r.Title, Content: stepsies.SanitisedContent(r.Content)}
	}
	return steps, nil
}

// decodeStepsUntil returns the steps up to the first that is enough, or all of them.
func decodeStepsUntil(text []byte, enough func(stepsies.Step) bool) ([]stepsies.Step, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil { // the bracket before the first
		return nil, fmt.Errorf("decode steps: %w", err)
	}
	var steps []stepsies.Step
	for d.More() {
		var r stepRecord
		if err := d.Decode(&r); err != nil {
			return nil, fmt.Errorf("decode steps: %w", err)
		}
		step := stepsies.Step{ID: r.ID, Title: r.Title, Content: stepsies.SanitisedContent(r.Content)}
		if steps = append(steps, step); enough(step) {
			break
		}
	}
	return steps, nil
}

// stepsyRecord is a stepsy as an idempotency record keeps it.
type stepsyRecord struct {
	stepsies.Stepsy
	Steps json.RawMessage // hides the field of the embedded type
}

func recordOf(s stepsies.Stepsy) (stepsyRecord, error) {
	steps, err := encodeSteps(s.Steps)
	return stepsyRecord{Stepsy: s, Steps: json.RawMessage(steps)}, err
}

func (r stepsyRecord) stepsy() (stepsies.Stepsy, error) {
	s := r.Stepsy
	var err error
	s.Steps, err = decodeSteps(r.Steps)
	return s, err
}

// WithSteps adds the steps to heads that were listed, but for those whose steps take
// more than most bytes.
func (s *Store) WithSteps(ctx context.Context, list []stepsies.Stepsy, most int64) ([]stepsies.Stepsy, error) {
	heads, ids := map[int64]stepsies.Stepsy{}, make([]int64, len(list))
	for i, head := range list {
		heads[head.ID], ids[i] = head, head.ID
	}
	err := s.readSteps(ctx, heads, ids, most, decodeSteps)
	whole := make([]stepsies.Stepsy, len(list))
	for i, id := range ids {
		whole[i] = heads[id]
	}
	return whole, err
}

// readSteps puts the steps into the heads with these ids.
func (s *Store) readSteps(ctx context.Context, heads map[int64]stepsies.Stepsy, ids []int64, most int64,
	decode func(text []byte) ([]stepsies.Step, error)) error {
	if len(ids) == 0 {
		return nil
	}
	query := fmt.Sprintf(`select id, steps from stepsies where id in (%s) and octet_length(steps) <= %d`, holes(len(ids)), most)
	return s.read.few(ctx, query, anys(ids), func(scan func(...any) error) error {
		var id int64
		var text []byte
		if err := scan(&id, &text); err != nil {
			return err
		}
		head := heads[id]
		var err error
		head.Steps, err = decode(text)
		heads[id] = head
		return wrap(err, "stepsy %d", id)
	})
}
