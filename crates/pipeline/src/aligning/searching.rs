//! Searching across senses: the nearest of one side to something of the other, and names for what never had any.

use std::path::{Path, PathBuf};

use base::open::{BaseError, Input};
use bundle::{BundleError, End, JointPredictor};
use dataset::{
    Content, Dataset, Decision, Example, Problem, ProblemKind, ReadError, ReadOptions, Sense, Task,
};
use linalg::dot;
use serde::Serialize;

use crate::features;
use crate::predicting::input_of;
use crate::{Event, Home, PipelineError, Run};

/// What is searched by.
#[derive(Debug, Clone)]
pub enum Query {
    /// Words.
    Text(String),
    /// A file.
    File(PathBuf),
}

/// Something that was found.
#[derive(Debug, Clone, Serialize)]
pub struct Hit {
    /// The file, or file and row.
    pub id: String,
    /// How well it goes with what was searched by, -1 to 1.
    pub similarity: f64,
}

/// Something with the name that suits it best.
#[derive(Debug, Clone, Serialize)]
pub struct Named {
    /// The file, or file and row.
    pub id: String,
    /// The best of the names.
    pub name: String,
    /// How well that goes with it, -1 to 1.
    pub similarity: f64,
    /// By how much it is better than the second best; 0 of a single name.
    pub lead: f64,
}

/// The examples of one side with their vectors.
struct Shelf {
    ids: Vec<String>,
    vectors: Vec<Vec<f32>>,
}

/// Finds, among the files and tables, the `top` that go best with what is searched by; the best first, and what could not be read.
///
/// Words are of the side that reads texts, and files of the side that takes their kind; where both do, of `from`, else of the left.
///
/// # Errors
/// [`PipelineError::NoEnd`] when neither side takes it, and those of reading.
pub fn search(
    home: &Home,
    predictor: &JointPredictor,
    query: &Query,
    from: Option<&str>,
    among: &[PathBuf],
    top: usize,
    run: &Run<'_>,
) -> Result<(Vec<Hit>, Vec<Problem>), PipelineError> {
    let content = match query {
        Query::Text(text) => Content::Text(text.clone()),
        Query::File(path) => content_of(path)?,
    };
    let end = end_of(predictor, &content, from)?;
    let at_fault = |kind: ProblemKind| {
        let first = Problem::in_file(kind, content.file().unwrap_or(Path::new("-"))).to_string();
        PipelineError::NothingUsable { n_examples: 1, n_problems: 1, first }
    };
    let input = input_of(&content, predictor.base(end).modality()).map_err(at_fault)?;
    let asked = match predictor.embed(end, &input) {
        Err(BundleError::Base(BaseError::Prep(error))) => return Err(at_fault(error.into())),
        asked => asked?,
    };
    let (shelf, problems) = Shelf::fill(home, predictor, end.other(), among, run)?;
    let mut hits: Vec<Hit> = shelf
        .ids
        .into_iter()
        .zip(&shelf.vectors)
        .map(|(id, vector)| Hit { id, similarity: dot(&asked, vector) })
        .collect();
    hits.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then_with(|| a.id.cmp(&b.id)));
    hits.truncate(top);
    Ok((hits, problems))
}

/// Gives each of the files and tables the name that goes best with it (zero-shot), and what could not be read.
///
/// # Errors
/// [`PipelineError::NoEnd`] when neither side reads texts, and those of reading.
pub fn name_by_words(
    home: &Home,
    predictor: &JointPredictor,
    names: &[String],
    from: Option<&str>,
    among: &[PathBuf],
    run: &Run<'_>,
) -> Result<(Vec<Named>, Vec<Problem>), PipelineError> {
    let end = end_of(predictor, &Content::Text(String::new()), from)?;
    let asked: Vec<Vec<f32>> = names
        .iter()
        .map(|name| predictor.embed(end, &Input::Text(name.clone())))
        .collect::<Result<_, _>>()?;
    let (shelf, problems) = Shelf::fill(home, predictor, end.other(), among, run)?;
    let named = |(id, vector): (String, &Vec<f32>)| {
        let mut order: Vec<(f64, usize)> =
            asked.iter().enumerate().map(|(place, asked)| (dot(asked, vector), place)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let (similarity, place) = order[0];
        let lead = order.get(1).map_or(0.0, |second| similarity - second.0);
        Named { id, name: names[place].clone(), similarity, lead }
    };
    Ok((shelf.ids.into_iter().zip(&shelf.vectors).map(named).collect(), problems))
}

/// What a file that is searched by holds.
fn content_of(path: &Path) -> Result<Content, PipelineError> {
    let wanted = dataset::read::modality_of_file(path);
    let read = ReadOptions { wanted, ..ReadOptions::default() };
    let (examples, problems) = dataset::read_unlabelled(&[path.to_owned()], &read)?;
    let (n_examples, n_problems) = (examples.len(), problems.len());
    let first = problems.first().map(ToString::to_string).unwrap_or_default();
    let none = PipelineError::NothingUsable { n_examples, n_problems, first };
    Ok(examples.into_iter().next().ok_or(none)?.content)
}

/// The side that takes this.
fn end_of(predictor: &JointPredictor, content: &Content, from: Option<&str>) -> Result<End, PipelineError> {
    let takes = |end: &End| {
        let sense = predictor.sense(*end);
        sense.modality == content.modality() && from.is_none_or(|from| from == sense.name)
    };
    [End::Left, End::Right].into_iter().find(takes).ok_or_else(|| {
        let told = |end: End| {
            let sense = predictor.sense(end);
            format!("{}: {}", sense.name, sense.modality)
        };
        PipelineError::NoEnd { ends: format!("{}, {}", told(End::Left), told(End::Right)) }
    })
}

impl Shelf {
    /// Reads files, folders and tables, and computes their vectors; features come from the cache where they are.
    fn fill(
        home: &Home,
        predictor: &JointPredictor,
        end: End,
        among: &[PathBuf],
        run: &Run<'_>,
    ) -> Result<(Self, Vec<Problem>), PipelineError> {
        let sense = predictor.sense(end);
        let wanted = Some(sense.modality);
        let read = ReadOptions { wanted, ..ReadOptions::default() };
        let (mut examples, mut problems) = (Vec::new(), Vec::new());
        for path in among {
            // A table like that of the pairs is read by the column of this side.
            let found = match dataset::read_senses(std::slice::from_ref(path), std::slice::from_ref(&sense)) {
                Err(ReadError::NoSense { .. } | ReadError::NotOneSense { .. }) => {
                    dataset::read_unlabelled(std::slice::from_ref(path), &read)
                }
                found => found,
            };
            let (found, mut more) = found?;
            examples.extend(found.into_iter().map(|example| alone(example, &sense)));
            problems.append(&mut more);
        }
        dataset::name_apart(&mut examples);
        let takes = || ProblemKind::OtherKind { takes: sense.modality.to_string() };
        let is_other = |example: &&Example| example.content.modality() != sense.modality;
        problems.extend(
            examples.iter().filter(is_other).map(|example| Problem::in_file(takes(), &example.origin.path)),
        );
        for problem in &problems {
            run.tell(Event::Problem(problem.clone()));
        }
        let data = unlabelled(examples, &sense);
        let table = features::table(home, predictor.base(end), data, run)?;
        problems.extend(table.problems.iter().cloned());
        let vector = |row: usize| {
            let features: Vec<f32> =
                table.sets.iter().flat_map(|set| set.x.row(row).iter().copied()).collect();
            Ok(predictor.project(end, &features)?)
        };
        let vectors = (0..table.data.examples.len()).map(vector).collect::<Result<_, PipelineError>>()?;
        let ids = table.data.examples.into_iter().map(|example| example.id.0).collect();
        Ok((Self { ids, vectors }, problems))
    }
}

/// The same example by one of its senses, if it has several and this one among them.
fn alone(mut example: Example, sense: &Sense) -> Example {
    if let Content::Senses(senses) = &mut example.content
        && let Some(content) = senses.remove(&sense.name)
    {
        example.content = content;
    }
    example
}

/// Examples about which nothing is asked but what they look like.
fn unlabelled(examples: Vec<Example>, sense: &Sense) -> Dataset {
    let examples: Vec<Example> =
        examples.into_iter().filter(|example| example.content.modality() == sense.modality).collect();
    Dataset {
        name: sense.name.clone(),
        root: PathBuf::new(),
        task: Task::SingleLabel { classes: Vec::new() },
        decision: Decision {
            layout: String::new(),
            content: sense.name.clone(),
            label: None,
            task: String::new(),
            why: String::new(),
        },
        modality: sense.modality,
        senses: Vec::new(),
        examples,
    }
}
