package bigquery

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const (
	maxURIs = 10_000 // of one job
	maxName = 1024   // bytes
)

var jobForm = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (tx *tx) insertJob(rq *request) (any, error) {
	if name := rq.object.beyond("configuration", "jobReference", "kind"); name != "" {
		return nil, unsupported(name)
	}
	l, f := readLoad(rq.object.object("configuration"), tx.opts.Project)
	if f != nil {
		return nil, f
	}
	location, f := tx.dataset(l.Dataset)
	if f != nil {
		return nil, f
	}
	ref := rq.object.object("jobReference")
	id, f := tx.jobID(ref)
	if f != nil {
		return nil, f
	}
	if _, used := tx.state.jobs[id]; used {
		return nil, rest.Fail("ALREADY_EXISTS", "Already Exists: Job %s:%s.%s", tx.opts.Project, location, id)
	}
	if asked := ref.text("location"); asked != "" && !strings.EqualFold(asked, location) {
		return nil, rest.Fail("NOT_FOUND", "Not found: Dataset %s:%s was not found in location %s", tx.opts.Project, l.Dataset, server.Clip(asked))
	}
	j := jobRecord{ID: id, Location: location, Load: l, Created: tx.at, Polls: max(tx.opts.JobPolls, 0), Due: tx.at.Add(tx.opts.JobTime)}
	if tx.opts.JobPolls < 0 {
		tx.finish(&j)
	}
	tx.putJob(j)
	return tx.wireJob(j), nil
}

// jobID is the caller's, or one that is drawn.
func (tx *tx) jobID(ref object) (string, *rest.Failure) {
	switch id := ref.text("jobId"); {
	case ref == nil:
		return "job_" + server.Letters(tx.ids.Draw("job", tx.next()), server.Alphanumeric, 24), nil
	case ref.text("projectId") != tx.opts.Project:
		return "", rest.Invalid("jobReference.projectId", "The project must be that of the path.")
	case !jobForm.MatchString(id) || len(id) > maxName:
		return "", rest.Invalid("jobReference.jobId", "Invalid job ID: it must be alphanumeric, plus underscores and dashes, and be at most 1024 characters long.")
	default:
		return id, nil
	}
}

// readLoad reads the configuration of a load job, all of it.
func readLoad(configuration object, project string) (l load, f *rest.Failure) {
	if name := configuration.beyond("load", "jobType"); name != "" {
		return l, unsupported("configuration." + name)
	}
	o := configuration.object("load")
	if o == nil {
		return l, rest.Invalid("configuration.load", "Required field is missing: this simulator runs load jobs.")
	}
	if name := o.beyond("destinationTable", "sourceUris", "sourceFormat", "writeDisposition", "createDisposition", "schema", "schemaUpdateOptions",
		"decimalTargetTypes", "timePartitioning", "clustering"); name != "" {
		return l, unsupported("configuration.load." + name)
	}
	if o.text("sourceFormat") != "PARQUET" {
		return l, rest.Invalid("configuration.load.sourceFormat", "This simulator reads PARQUET.")
	}
	if f = l.readDestination(o.object("destinationTable"), project); f != nil {
		return l, f
	}
	if f = l.readSources(o.texts("sourceUris")); f != nil {
		return l, f
	}
	if f = l.readHow(o); f != nil {
		return l, f
	}
	return l, l.readShape(o)
}

func (l *load) readDestination(ref object, project string) *rest.Failure {
	id, decorator, decorated := strings.Cut(ref.text("tableId"), "$")
	l.Dataset, l.Table, l.Partition = ref.text("datasetId"), id, decorator
	if ref.text("projectId") != project || !isTable(id) || decorated && decorator == "" {
		return rest.Invalid("configuration.load.destinationTable", "The table must be one of the project, with a partition behind the $ if there is one.")
	}
	return nil
}

func (l *load) readSources(uris []string) *rest.Failure {
	if len(uris) > maxURIs {
		return rest.Invalid("configuration.load.sourceUris", "Too many source URIs: at most %d.", maxURIs)
	}
	for _, uri := range uris {
		if bucket, name, ok := strings.Cut(strings.TrimPrefix(uri, "gs://"), "/"); !strings.HasPrefix(uri, "gs://") || !ok || bucket == "" || name == "" || strings.Contains(uri, "*") {
			return rest.Invalid("configuration.load.sourceUris", "A source is gs://BUCKET/NAME; this simulator has not got wildcards.")
		}
	}
	l.URIs = uris
	return nil
}

// given is a text, or what it is by default.
func given(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (l *load) readHow(o object) *rest.Failure {
	l.Create, l.Write = given(o.text("createDisposition"), "CREATE_IF_NEEDED"), given(o.text("writeDisposition"), "WRITE_APPEND")
	l.Updates, l.Targets = o.texts("schemaUpdateOptions"), o.texts("decimalTargetTypes")
	if len(l.Targets) == 0 {
		l.Targets = []string{"NUMERIC"}
	}
	if !slices.Contains([]string{"CREATE_IF_NEEDED", "CREATE_NEVER"}, l.Create) {
		return rest.Invalid("configuration.load.createDisposition", "There is no such disposition.")
	}
	if !slices.Contains([]string{"WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA", "WRITE_APPEND", "WRITE_EMPTY"}, l.Write) {
		return rest.Invalid("configuration.load.writeDisposition", "There is no such disposition.")
	}
	if slices.ContainsFunc(l.Updates, func(o string) bool { return o != "ALLOW_FIELD_ADDITION" && o != "ALLOW_FIELD_RELAXATION" }) {
		return rest.Invalid("configuration.load.schemaUpdateOptions", "There is no such option.")
	}
	if len(l.Updates) > 0 && (l.Write == "WRITE_EMPTY" || l.Write == "WRITE_TRUNCATE" && l.Partition == "") {
		return rest.Invalid("configuration.load.schemaUpdateOptions",
			"Schema update options should only be specified with WRITE_APPEND disposition, or with WRITE_TRUNCATE disposition on a table partition.")
	}
	if slices.Contains(l.Targets, "") || len(slices.Compact(slices.Sorted(slices.Values(l.Targets)))) != len(l.Targets) {
		return rest.Invalid("configuration.load.decimalTargetTypes", "The field cannot contain duplicate or unspecified types.")
	}
	return nil
}

func (l *load) readShape(o object) (f *rest.Failure) {
	if l.Columns, f = readColumns(o.object("schema")); f != nil {
		return f
	}
	if l.Partitioned, f = readPartitioning(o.object("timePartitioning"), l.Columns); f != nil {
		return f
	}
	l.Clustered, f = readClustering(o.object("clustering"), l.Columns)
	return f
}

func (l load) allows(option string) bool { return slices.Contains(l.Updates, option) }

// getJob shows a job, which goes on meanwhile.
func (tx *tx) getJob(rq *request) (any, error) {
	j, ok := tx.state.jobs[rq.params["jobId"]]
	if !ok || !j.visible(rq.Query.Get("location")) {
		return nil, rest.Fail("NOT_FOUND", "Not found: Job %s:%s", tx.opts.Project, server.Clip(rq.params["jobId"]))
	}
	if !j.done() {
		if j.Polled = true; j.Polls > 0 {
			j.Polls--
		} else {
			tx.finish(&j)
		}
		tx.putJob(j)
	}
	return tx.wireJob(j), nil
}

// visible reports whether a caller who names a location, or none, finds the job.
func (j jobRecord) visible(location string) bool {
	if location == "" {
		return j.Location == "US" || j.Location == "EU"
	}
	return strings.EqualFold(location, j.Location)
}

func (j jobRecord) done() bool { return !j.Ended.IsZero() }

func (j jobRecord) stateName() string {
	switch {
	case j.done():
		return "DONE"
	case j.Polled:
		return "RUNNING"
	}
	return "PENDING"
}

// finishDue ends the jobs whose time has come, each as of its own time; the caller holds the lock.
func (s *Server) finishDue(at time.Time) error {
	for _, j := range s.state.due(at) {
		tx := s.begin(j.Due)
		tx.finish(&j)
		tx.putJob(j)
		if err := tx.commit(); err != nil {
			return err
		}
	}
	return nil
}

// finish ends a job: with what it loads, or with the reason why not.
func (tx *tx) finish(j *jobRecord) {
	j.Ended, j.Polls = tx.at, 0
	if len(tx.failing) > 0 {
		j.Error = &proto{Reason: tx.failing[0], Message: "The job encountered an error that was set by a control."}
		tx.failing = tx.failing[1:]
		return
	}
	j.Error = tx.load(j)
}

// FailJobs makes so many of the next jobs end with a reason, without changing anything.
func (s *Server) FailJobs(reason string, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = append(s.failing, slices.Repeat([]string{reason}, times)...)
}

// wireJob is a job as answers show it.
func (tx *tx) wireJob(j jobRecord) any {
	status := map[string]any{"state": j.stateName()}
	statistics := map[string]any{"creationTime": millis(j.Created), "startTime": millis(j.Created)}
	if j.done() {
		statistics["endTime"] = millis(j.Ended)
	}
	if j.Error != nil {
		status["errorResult"], status["errors"] = j.Error, []any{j.Error}
	} else if j.done() {
		statistics["load"] = map[string]any{"inputFiles": number(j.Files), "inputFileBytes": number(j.Bytes), "outputRows": number(j.Rows), "outputBytes": number(j.Bytes), "badRecords": "0"}
	}
	return map[string]any{
		"kind": "bigquery#job", "etag": "j-" + j.stateName(), "id": fmt.Sprintf("%s:%s.%s", tx.opts.Project, j.Location, j.ID),
		"jobReference":  map[string]any{"projectId": tx.opts.Project, "jobId": j.ID, "location": j.Location},
		"configuration": map[string]any{"jobType": "LOAD", "load": tx.wireLoad(j.Load)},
		"status":        status, "statistics": statistics,
	}
}

func (tx *tx) wireLoad(l load) any {
	table := l.Table
	if l.Partition != "" {
		table += "$" + l.Partition
	}
	out := map[string]any{
		"destinationTable": map[string]any{"projectId": tx.opts.Project, "datasetId": l.Dataset, "tableId": table},
		"sourceFormat":     "PARQUET", "sourceUris": l.URIs, "createDisposition": l.Create, "writeDisposition": l.Write, "decimalTargetTypes": l.Targets,
	}
	if len(l.Updates) > 0 {
		out["schemaUpdateOptions"] = l.Updates
	}
	if len(l.Columns) > 0 {
		out["schema"] = wireSchema(l.Columns)
	}
	return out
}
