"""Emergencies in what citizens say, recognised before anything else and without a model.

A text is an emergency if it says that something is happening now. What is asked about an emergency of the past or
about its paperwork (a fee of the fire brigade, a death certificate) is not. Phrases are compared in folded form, so
lower case, missing umlauts and missing punctuation make no difference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from nlu.text import fold


class Emergency(str, Enum):  # noqa: UP042 (Python 3.10 has no StrEnum)
    """Who must be called at once."""

    MEDICAL = "medical"
    """Fire brigade and ambulance: 112."""
    POLICE = "police"
    """Police: 110."""
    CRISIS = "crisis"
    """Somebody thinks of suicide or hurts themselves."""


@dataclass(frozen=True)
class Sign:
    """Phrases that tell one kind of emergency."""

    kind: Emergency
    pattern: re.Pattern[str]
    certain: bool
    """Certain phrases speak of the present by themselves; the others yield to the past and to paperwork."""


def detect(text: str) -> Emergency | None:
    """The emergency that the text tells of, or None. Of several, the one where minutes count most."""
    if _CRY.search(text):
        return Emergency.MEDICAL
    words = " ".join(re.findall(r"\w+", fold(text)))
    if _NEVER.search(words):
        return None
    may_be_weak = not _PAPERWORK.search(words) and (not _PAST.search(words) or bool(_NOW.search(words)))
    return next(
        (sign.kind for sign in SIGNS if (sign.certain or may_be_weak) and sign.pattern.search(words)),
        None,
    )


_TOLERANT = {"ä": "ae?", "ö": "oe?", "ü": "ue?", "ß": "ss?"}


def _any_of(*phrases: str) -> re.Pattern[str]:
    """Matches any of the phrases as whole words; an umlaut also as its plain vowel, `…` as up to three words."""
    written = "|".join(phrases).replace("…", r"(?:\w+ ){0,3}")
    folded = "".join(_TOLERANT.get(char) or (fold(char) if char.isalpha() else char) for char in written)
    return re.compile(rf"\b(?:{folded})\b")


_PERSON = (
    r"(?:er|sie|jemand|man|mann|ehemann|frau|ehefrau|freund|freundin|kind|baby|sohn|tochter|vater|mutter|mama|papa|"
    r"oma|opa|bruder|schwester|"
    r"nachbar|nachbarin|kollege|kollegin|person|partner|partnerin|ex|ex mann|junge|mädchen|stiefvater|"
    r"lebensgefährte|typ)"
)
_VICTIM = r"(?:mich|uns|meine?n? \w+|seine?n? \w+|ihn|sie|das kind|die kinder|ihr kind)"
_SERVICE = (
    r"(?:notar[zt]t?|krankenwag\w*|rettungswag\w*|rettungsdienst|rettung|rtw|sanit[äe]r\w*|sanka|feuerwehr|feuerwer|"
    r"einen arzt|ambulanz)"
)

_MEDICAL_NOW = _any_of(
    r"atme[td]?n? …nicht(?: mehr)?",
    r"nicht mehr atme[tn]?",
    r"(?:bekomm|krieg|bekom)(?:e|t|en)? …keine? luft",
    r"keine luft mehr",
    r"(?:kaum|schwer|schlecht) luft",
    r"atemnot",
    r"bewu(?:ss?t|ß)l(?:os|oss)\w*",
    r"bewusstsein verl\w+",
    r"ohnmächtig\w*",
    r"nicht (?:mehr )?ansprechbar",
    rf"{_PERSON} (?:reagiert|bewegt sich|rührt sich|wacht) …nicht(?: mehr)?(?: auf)?",
    r"erstick\w*",
    r"verschluckt und",
    r"blutet …(?:stark|sehr|schlimm|doll|heftig|viel|wie verrückt|nicht auf)",
    r"(?:stark\w*|schwer\w*|heftig\w*) blut(?:et|en|ung|ungen)",
    r"nicht auf zu bluten",
    r"verblutet?",
    r"(?:überall|viel|so viel) blut",
    r"(?:haus|wohnung|küche|auto|keller|dach|dachstuhl|wald|zimmer|balkon|müll\w*|tonne|treppenhaus|scheune|garage|"
    r"ofen|pfanne|nachbarn?|"
    r"kinderzimmer|herd|fernseher|gebäude|schule|es) …brenn?t(?! nicht)",
    r"brenn?ts",
    r"(?:hier|bei \w+|gegenüber) brenn?t(?! nicht)(?: es| was| etwas| das| die| ein\w*)?",
    r"brenn?t (?:es|bei uns|das haus|die wohnung|ein haus|ein auto|mein\w*|unser\w*|hier|lichterloh)",
    r"in flammen",
    r"feuer (?:ausgebrochen|in der|in meiner|in unserer|im haus|im keller|im zimmer|im treppenhaus|in meinem|"
    r"in unserem|bei uns|hier)",
    r"(?:rauch|qualm) (?:aus dem|kommt|im treppenhaus|im haus|in der wohnung|im keller|aus der)",
    r"(?:riecht|stinkt) …nach gas",
    r"gasgeruch",
    r"gas (?:strömt|tritt) aus",
    r"schwer ?verletzt\w*",
    r"(?:unfall|leute|menschen|person|personen|jemand) …verletzte?",
    r"(?:gerade|grade|eben|jetzt) …(?:unfall|verunglückt|zusammengestoßen|angefahren|überfahren)",
    rf"(?:unfall|herzinf\w*|schlaganf\w*) …(?:schnell|sofort|hilfe|{_SERVICE})",
    rf"{_PERSON} …(?:zusammengebrochen|zusammengeklappt|umgekippt|kollabiert|bricht zusammen|krampft|liegt am boden|"
    rf"liegt auf dem boden)",
    r"(?:krampfanfall|epileptische\w* anfall|herzstillstand|allergischer schock)",
    r"(?:schmerzen|schmerz|stechen|druck|stiche) …(?:in der|auf der|im) (?:brust|brustkorb|herz)",
    r"brustschmerzen",
    r"fruchtblase",
    r"(?:baby|kind) kommt (?:jetzt|gleich|gerade|raus)",
    r"ertrink\w*|ertrunken",
    r"(?:tabletten|pillen|putzmittel|gift|reiniger|chemikalie\w*|batterie|medikamente|pilze|waschmittel|spülmittel)"
    r" …(?:geschluckt|getrunken|gegessen|verschluckt|genommen)",
    r"überdosis",
    rf"(?:brauch|braucht|brauche|brauchen|benötige|benötigen|will|möchte) …{_SERVICE}",
    rf"(?:ruf|ruft|rufen|rufe|schick|schickt|schicken|hol|holt|holen|komm|kommt|kommen) …{_SERVICE}",
    rf"{_SERVICE} (?:schnell|sofort|bitte|rufen|holen|schicken|jetzt|kommen|komm|muss kommen)",
    r"(?:bekommt|kriegt) …(?:kind|baby) (?:jetzt|gerade|gleich)",
    r"ich sterbe",
)
_POLICE_NOW = _any_of(
    r"einbrecher",
    r"(?:wird|werden|will|wollen|versucht|versuchen) …(?:eingebrochen|einbrechen|einzubrechen)",
    r"(?:bricht|brechen) …(?:ein|bei uns|bei mir|bei nachbarn|beim nachbarn)",
    r"(?:jemand|fremder|fremde|unbekannter|mann) …in (?:meiner|unserer|der) wohnung",
    r"(?:jemand|mann|typ) …(?:tritt|hämmert) …(?:tür|wohnungstür)",
    rf"schläg[td] …(?:{_VICTIM}|zu|immer|wieder|um sich)",
    r"(?:mich|uns|meine mama|meine mutter|unser kind) …(?:schlägt|schlagen|verprügelt|geschlagen|verhaut|verhauen|"
    r"getreten|gewürgt|misshandelt|haut)",
    rf"(?:würgt|tritt|haut|prügelt|verprügelt|misshandelt|vergewaltigt|missbraucht) {_VICTIM}",
    r"(?:schlägerei|prügelei|prügeln sich|schlagen sich)",
    r"werde …(?:geschlagen|bedroht|verfolgt(?! in| wegen)|gestalkt|misshandelt|angegriffen|überfallen|ausgeraubt|"
    r"erpresst)",
    r"werden …(?:bedroht|angegriffen|überfallen)",
    rf"(?:bedroht|bedrohen|verfolgt|verfolgen|angreift|greift|belästigt) {_VICTIM}(?: an)?",
    r"(?:mich|uns) …(?:bedroht|verfolgt|angegriffen|umzubringen)",
    r"droht(?: mir| uns| damit)? …(?:umzubringen|messer|mir|uns)",
    r"(?:läuft|geht|rennt|fährt|schleicht) mir …(?:hinterher|nach)(?! \w+ nerven)",
    r"folgt mir",
    rf"{_PERSON} …(?:will|wird|möchte|versucht) …(?:mich|uns|sie|meine mutter|mama) …(?:umbringen|töten|umzubringen|"
    rf"abstechen|schlagen)",
    rf"{_PERSON} bringt (?:mich|uns|sie) um",
    r"angst vor (?:meinem|meiner|dem) (?:mann|ex\w*|freund|partner|vater|bruder|stiefvater|frau|sohn)",
    r"mit (?:einem|nem|dem|seinem|einer|ner) (?:messer|pistole|waffe|axt|machete)",
    r"hat …(?:ein messer|messer|pistole) …(?:in der hand|dabei|gezogen|raus)",
    r"(?:schüsse|schießt|schießerei|geschossen|amok\w*|geisel\w*|bombe|bombendrohung)",
    r"(?:überfall|bankraub|raubüberfall|einbruch) …(?:gerade|jetzt|schnell|hilfe)",
    r"(?:gerade|jetzt|eben) …(?:überfall\w*|ausgeraubt|einbruch|eingebrochen|beraubt|belästigt|bedroht)",
    rf"{_PERSON} …(?:entführt|gekidnappt)",
    r"häusliche\w* gewalt",
    rf"{_PERSON} …(?:aggressiv|gewalttätig|randaliert|rastet aus)",
    r"(?:brauch|brauche|brauchen|will|möchte|ruf|ruft|rufen|rufe|schick|schickt|schicken|hol|holt|"
    r"holen) …(?:polizei|polizai|pollizei|streifenwagen)(?! \w*(?:zeugnis|bericht|anzeige))",
    r"(?:polizei|polizai) (?:schnell|sofort|bitte kommen|kommen|muss kommen|hilfe|rufen|holen|notruf)",
)
_CRISIS_NOW = _any_of(
    r"nicht mehr leben",
    r"nicht länger leben",
    r"leben …sinnlos",
    r"(?:will|möchte|wollte|würde) …(?:nur |einfach |jetzt |endlich |gern |lieber |nur noch )?(?:sterben|"
    r"tot sein)(?! \w+ lassen)",
    r"(?:besser|lieber|liebsten) tot",
    r"(?:bringe?|brings) …mich …um",
    r"mich …(?:umbringen|umzubringen|töten|erhängen|aufhängen|vergiften|erschießen|ritzen|selbst verletzen|"
    r"selber verletzen|vor den zug)",
    r"ritze? (?:ich )?mich",
    r"verletze? (?:ich )?mich (?:selbst|selber|absichtlich)",
    r"(?:mir|sich) …(?:das )?leben (?:zu )?nehmen",
    r"nehme? mir das leben",
    r"(?:meinem|mein|dem) leben ein ende",
    r"(?:mein|das) leben beenden",
    r"mit dem leben (?:abgeschlossen|schluss)",
    r"(?:will|wollen|möchte) sich …(?:umbringen|töten|erhängen|vor den zug)",
    r"(?:selbstmord|suizid)(?:gedanken|gefährdet|versuch|absicht\w*)",
    r"(?:selbstmord|suizid) (?:begehen|machen|denken|nachgedacht|gedacht)",
    r"(?:denke|gedanken) …(?:an|über|von) …(?:selbstmord|suizid)",
    r"suizidal",
    r"lebensmüde",
    r"leben …(?:keinen|kein) sinn",
    r"keinen sinn mehr …(?:leben|zu leben)?",
    r"nicht mehr aufwachen",
    r"von der brücke (?:springen|stürzen)|vor (?:den|einen) zug",
    r"(?:kann|mag|will) (?:einfach |so |wirklich )?nicht mehr$",
    r"kein(?:en)? (?:ausweg|lebenswillen)(?: mehr)?",
    r"kill myself|want to die|end my life|don t want to live|dont want to live|suicidal",
    r"intihar ed\w+|ölmek istiyorum|kendimi öldür\w+|yaşamak istemiyorum",
    r"хочу умереть|не хочу (?:больше )?жить|покончить с собой|убить себя|хочу померти|не хочу (?:більше )?жити|"
    r"вбити себе|накласти на себе руки",
    r"اريد ان اموت|أريد أن أموت|لا اريد العيش|لا أريد أن أعيش|سأنتحر|اقتل نفسي",
)
_MEDICAL = _any_of(
    r"herzinf\w*k?t|herzanfall|schlaganfa\w+",
    r"unfall?|verkehrsunfall|autounfall|arbeitsunfall",
    r"feuer|brand|wohnungsbrand|zimmerbrand|waldbrand|explosion|explodiert",
    r"brenn?t(?! nicht)",
    r"(?<!nicht )verletzt|verletzte|verletzter|verbrannt|verbrüht",
    r"vergiftet|vergiftung|stromschlag|verschluckt|angefahren|überfahren",
    r"blutet|blutung",
    r"(?:aus dem fenster|vom balkon|von der leiter|vom dach|die treppe|treppe) …(?:gefallen|gestürzt|runtergefallen|"
    r"heruntergefallen)",
    r"(?:hab|habe|hat) …wehen|wehen alle",
    r"(?<!im )(?<!sperr )not(?:fall|ruf|rufnummern?|ruf nummern?|arzt|artzt)",
    r"krankenwagen|krankenwagn|rettungswagen",
    r"^feuerwehr$|^112$",
    r"hilfe hilfe|hilfe schnell|schnell hilfe|zu hilfe|brauche? sofort hilfe|helft (?:mir|uns)|^hilfe bitte schnell",
    r"emergency|ambulance|fire fire|^fire$|on fire|there is a fire|heart attack|unconscious|not breathing|"
    r"can t breathe|bleeding",
    r"help (?:me|us|help)|need …help now",
    r"imdat|ambulans\w*|yangın|itfaiye|yardım ed\w+|acil(?: durum| yardım)?|nefes al\w+mıyor\w*",
    r"помогите|помоги|пожар|скор(?:ая|ую)(?: помощь)?|горит|не дышит|врача|спасите",
    r"допоможіть|поможіть|рятуйте|пожежа|горить|швидк(?:а|у)(?: допомог\w+)?|не дихає",
    r"النجدة|نجدة|ساعدوني|ساعدني|حريق|إسعاف|الإسعاف|سيارة إسعاف|طوارئ|نار",
)
_POLICE = _any_of(
    r"(?:werde|wurde|bin) …(?:überfallen|ausgeraubt|beraubt|angegriffen|vergewaltigt|bedroht|belästigt|"
    r"zusammengeschlagen)",
    r"überfall|raubüberfall|vergewaltigt|vergewaltigung|misshandlung|bedrohung",
    r"hat …(?:ein messer|messer|pistole|eine waffe)",
    r"(?:mein|meine|unser) (?:kind|baby|sohn|tochter|junge|mädchen) (?:ist )?(?:\w+ )?(?:verschwunden|vermisst|weg)",
    r"eingebrochen|einbruch",
    r"^polizei$|^110$|^polizei (?:hilfe|nummer)$",
    r"police|call the police|robbed|attacked|attacking me|being followed|burglar|he hits me|beats me|hitting me",
    r"polis çağır\w*|polis|hırsız|dövüyor|beni dövüyor|kocam …dövüyor",
    r"полици\w+|меня бьет|бьет меня|убивают|грабят|поліці\w+|мене б є|б є мене|чоловік …б є|вбивають|грабують",
    r"شرطة|الشرطة|البوليس|زوجي يضربني|يضربني",
)

_CRISIS = _any_of(
    r"sich …(?:umgebracht|erhängt|das leben genommen|selbst getötet)",
    r"selbstmord|suizid|suicide|самоубийство|самогубство|انتحار|intihar",
)

SIGNS: tuple[Sign, ...] = (
    Sign(Emergency.MEDICAL, _MEDICAL_NOW, certain=True),
    Sign(Emergency.POLICE, _POLICE_NOW, certain=True),
    Sign(Emergency.CRISIS, _CRISIS_NOW, certain=True),
    Sign(Emergency.CRISIS, _CRISIS, certain=False),
    Sign(Emergency.POLICE, _POLICE, certain=False),
    Sign(Emergency.MEDICAL, _MEDICAL, certain=False),
)
"""In the order in which they win."""

_CRY = re.compile(r"^\W*(?:hilfe|help|hilfä|imdat)\s*!{2,}", re.IGNORECASE)
"""The bare word asks the bot for help; shouted it calls for more."""

_NEVER = _any_of(
    r"sterbehilfe|sterbebegleitung|patientenverfügung",
    r"(?:suizid|selbstmord) (?:ein\w*|des|meines|meiner|von|in der familie)",
    r"hinterbliebene\w*|angehörige\w*|bestatt\w+|sterbeurkunde|trauer\w*",
    r"asyl\w*|politisch verfolgt|herkunftsland|führungszeugnis\w*|sprechstunde\w*|übung\w*|polizeibericht",
    r"vor (?:\w+ ){1,2}(?:wochen?|monat(?:en)?|jahr(?:en)?) \w+ (?:ertrunken|erstickt)",
)
_PAST = _any_of(
    r"gestern|vorgestern|damals|früher|letzte[nrsm]? \w+|vorige[nrsm]? \w+|vergangene[nrsm]? \w+|neulich|kürzlich",
    r"vor (?:\w+ ){1,2}(?:tag|tagen|woche|wochen|monat|monaten|jahr|jahren)|(?:tage?|wochen?|monate?|jahre?) her",
    r"(?:19|20)\d\d",
    r"hatte(?! gerade)|gehabt|war|gewesen",
    r"nach (?:ein\w*|mein\w*|dem|der|unser\w*) …(?:unfall|schlaganfall|herzinfarkt|brand|einbruch|überfall|feuer|"
    r"vergiftung|vergewaltigung|infarkt)",
    r"gestorben|verstorben|verstorbene\w*|tod|todesfall|gebrannt|abgebrannt",
    r"yesterday|last (?:week|month|year)|ago",
)
_NOW = _any_of(r"jetzt|gerade|grade|eben|hilfe|sofort|schnell|im moment|immer noch|now")
_PAPERWORK = _any_of(
    r"kost\w+|gebühr\w*|preis\w*|rechnung\w*|bezahl\w*|zahl\w*|\w*geld",
    r"\w*antr[aä]g\w*|\w*ausweis\w*|\w*bescheinigung\w*|\w*urkunde\w*|\w*zeugnis\w*|\w*nachweis\w*|\w*formular\w*|"
    r"\w*genehmigung\w*|"
    r"\w*erlaubnis\w*|\w*schein|reisepass|pass|visum|\w*karte",
    r"\w*pflicht\w*|\w*versicherung\w*|\w*rente\w*|\w*steuer\w*|\w*gesetz\w*|\w*recht\w*|satzung\w*|verordnung\w*|"
    r"verboten|erlaubt|darf|dürfen",
    r"anmeld\w*|angemeldet|abmeld\w*|ummeld\w*|beantrag\w*|bewerb\w*|ausbildung\w*|beruf\w*|karriere|job|studium|"
    r"praktikum|verein\w*|ehrenamt\w*",
    r"mitglied\w*|mitmachen|eintreten|freiwillige\w*|beitreten|feuerwehrmann|feuerwehrfrau|feuerwehreinsatz|"
    r"feuerwehrzufahrt|feuerwehrfest|"
    r"jugendfeuerwehr|berufsfeuerwehr|feuerwache",
    r"termin\w*|öffnungszeit\w*|geöffnet|zuständig\w*|amt|adresse|wo ist|wo finde|wer ist",
    r"(?:straf)?anzeige\w*|anzeigen|akte\w*|gutachten|bußgeld\w*|punkte|merkzeichen|behindert\w*|behinderung\w*|"
    r"pflegegrad|reha|kur",
    r"rauchmelder|rauchwarnmelder|brandschutz\w*|brandmelde\w*|feuerlöscher|feuerwerk\w*|osterfeuer|lagerfeuer|"
    r"feuerschale|feuerstelle|feuerstätte\w*|grill\w*|"
    r"feuer machen|verbrennen|offenes feuer|kaminofen|ofen|kamin|schornstein\w*|brennholz|gartenabfälle|baumschnitt|"
    r"wald ?brand ?(?:stufe|gefahr)\w*",
    r"erste hilfe|kurs\w*|schulung|ausweisnummer|statistik\w*|vorsorge|notfall(?:plan|mappe|dose|pass|treffpunkt|"
    r"betreuung)|einbruchschutz|beratung\w*",
    r"laterne\w*|lampe\w*|licht|beleuchtung|ampel\w*|website|internetseite|seite|app|drucker",
    r"polizeiliche\w*|wasserschaden|blechschaden|totalschaden|zulassung|kennzeichen|ersatz|auto abmelden|ermittl\w*|"
    r"asyl\w*|politisch\w*|heimat\w*|"
    r"herkunftsland|geflohen|geflüchtet|flüchtling\w*|einbürger\w*",
    r"gestohlen|geklaut|verloren|fundbüro|blutspende\w*|blut spenden|organspende\w*|impf\w*",
    r"certificate|costs?|fee|permit|licen[cs]e|clearance|report|extinguisher|register|registration|station|"
    r"department|passport",
    r"справк\w*|паспорт\w*|сколько стоит|довідк\w*|скільки коштує|belgesi|ücret\w*|شهادة|جواز",
)
