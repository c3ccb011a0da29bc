// External variables with defaults: what the environment of `allennlp train` sets, or else what a configuration says.
//
// `std.extVar` fails where a variable is not set, and cannot be asked whether it is. This project's plug-in therefore
// hands over all variables as the text of one JSON object, CONFIG_VARIABLES. Without AllenNLP the same is written as
//   jsonnet -V CONFIG_VARIABLES='{"EPOCHS": "3"}' configs/srl.jsonnet
local given = std.parseJson(std.extVar('CONFIG_VARIABLES'));
{
  isSet(name):: std.objectHas(given, name),

  text(name, default):: std.get(given, name, default),

  number(name, default)::
    if !self.isSet(name) then default
    else if std.length(given[name]) > 0 && std.all([std.member('0123456789', c) for c in std.stringChars(given[name])])
    then std.parseInt(given[name])
    else error '%s must be a whole number, got "%s"; set it to one, or unset it for %d' % [name, given[name], default],

  // One of a few words.
  choice(name, choices)::
    local value = self.text(name, choices[0]);
    if std.member(choices, value) then value
    else error '%s must be one of %s, got "%s"' % [name, std.join(', ', choices), value],

  // The keys that name the data; `folder` holds what a script of scripts/ prepared.
  data(folder, train, validation):: {
    train_data_path: $.text('TRAIN_DATA_PATH', '%s/%s' % [folder, train]),
    validation_data_path: $.text('VALIDATION_DATA_PATH', '%s/%s' % [folder, validation]),
    [if $.isSet('TEST_DATA_PATH') then 'test_data_path']: $.text('TEST_DATA_PATH', ''),
  },
}
